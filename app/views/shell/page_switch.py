"""Rows at the top of the sidebar that switch between pages."""

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from app.views.kit.buttons import PaintedButton
from app.views.kit.painting import focus_ring, mixed, rounded
from app.views.kit.theme import Theme
from app.views.shell.pages import PAGES, WindowPage

_SIDE = 8


class _PageRow(PaintedButton):
    """The icon and title of a page, highlighted while the page is visible."""

    def __init__(self, theme: Theme, page: WindowPage, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._page = page
        self.setCheckable(True)
        self.setText(page.text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(120, QFontMetrics(self.theme.font("label")).height() + 13)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors, painter = self.theme.palette, QPainter(self)
        row = self.rect().adjusted(_SIDE, 1, -_SIDE, -1)
        if self.isChecked():
            rounded(painter, QRectF(row), 7, mixed(colors.sidebar, colors.text, 0.1))
        elif self._is_lit():
            rounded(painter, QRectF(row), 7, colors.hover)
        if self.hasFocus():
            focus_ring(painter, QRectF(row), 7, colors.accent)
        side = self.theme.scaled(18)
        color = colors.accent if self.isChecked() else colors.secondary
        self._draw_icon(painter, self._page.icon, QPoint(row.left() + 10 + side // 2, row.center().y() + 1), color)
        painter.setFont(self.theme.font("label", bold=self.isChecked()))
        painter.setPen(colors.text)
        text = QRect(row.left() + side + 18, row.top(), row.width() - side - 26, row.height())
        elided = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, text.width())
        painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, elided)


class PageSwitch(QWidget):
    """Emits `page_selected` with the name of the clicked page."""

    page_selected = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, _PageRow] = {}
        self._group = group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(0)
        for page in PAGES:
            row = self._rows[page.name] = _PageRow(theme, page, self)
            row.clicked.connect(lambda _checked=False, name=page.name: self.page_selected.emit(name))
            group.addButton(row)
            column.addWidget(row)

    def select(self, name: str) -> None:
        """Highlight the page of that name; "" highlights none."""
        self._group.setExclusive(bool(name))
        for page, row in self._rows.items():
            row.setChecked(page == name)
