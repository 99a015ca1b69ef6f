"""Header of a study's table: the first section stays in place while the others scroll."""

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from app.views.kit.table_header import TableHeader


class PinnedHeader(TableHeader):
    """Each section paints its part of the first one on top of itself."""

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        pinned = QRect(0, rect.top(), self.sectionSize(0), rect.height())
        if not self.offset() or not pinned.intersects(rect):
            super().paintSection(painter, rect, section)
            return
        if rect.right() > pinned.right():
            super().paintSection(painter, QRect(pinned.topRight(), rect.bottomRight()), section)
        painter.save()
        painter.setClipRect(pinned.intersected(rect))
        super().paintSection(painter, pinned, 0)
        painter.restore()
