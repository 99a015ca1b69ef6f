"""The button that shows the current model and opens the list of models."""

from PySide6.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.library import ModelLibrary, ModelRole
from app.views.chat.model_popup import ModelPopup, problem
from app.views.kit.buttons import TextButton
from app.views.kit.icons import pixmap
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme

_NO_MODEL = "Choose a model"


class ModelPicker(TextButton):
    """Shows the name of the model, its state or details in a secondary color, and an arrow."""

    folder_requested = Signal()

    def __init__(self, library: ModelLibrary, chat: ChatViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, _NO_MODEL, parent)
        self._library, self._chat = library, chat
        self.note = ""
        """State or details of the model, next to its name."""
        self._popup: ModelPopup | None = None
        self.clicked.connect(self.open_list)
        for changed in (chat.model_changed, library.refreshed, library.dataChanged):
            changed.connect(self._refresh)
        self._refresh()

    def open_list(self) -> None:
        if self._popup is None:
            self._popup = ModelPopup(self._library, self._chat, self.theme, self)
            self._popup.folder_requested.connect(self.folder_requested)
        self._popup.open_below(self)

    def _refresh(self) -> None:
        row = self._library.row_of(self._chat.model)
        index = self._library.index(row, 0) if row >= 0 else QModelIndex()
        self.setText(str(index.data(ModelRole.NAME)) if index.isValid() else _NO_MODEL)
        state = describe_engine(index.data(ModelRole.STATE)).text if index.isValid() else ""
        self.note = state or (str(index.data(ModelRole.DETAIL)) if index.isValid() else "")
        self.setAccessibleName(f"Model: {self.text()}")
        self.setToolTip(plain(problem(index)) if index.isValid() else "")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self.theme.font("label", tabular=True))
        width = metrics.horizontalAdvance(f"{self.text()}  {self.note}") + self.theme.scaled(18) + 40
        return QSize(max(width, self.theme.scaled(220)), metrics.height() + 14)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_frame(painter)
        colors = self.theme.palette
        side = self.theme.scaled(14)
        inside = self.rect().adjusted(14, 0, -side - 18, 0)
        painter.setFont(self.theme.font("label", bold=True))
        painter.setPen(colors.text)
        name = painter.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, name)
        inside.setLeft(inside.left() + painter.fontMetrics().horizontalAdvance(name) + 8)
        painter.setFont(self.theme.font("label", tabular=True))
        painter.setPen(colors.secondary)
        note = painter.fontMetrics().elidedText(self.note, Qt.TextElideMode.ElideRight, inside.width())
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, note)
        arrow = pixmap("chevron-down", side=side, scale=self.devicePixelRatioF(), color=colors.secondary)
        painter.drawPixmap(QPoint(self.width() - side - 10, (self.height() - side) // 2), arrow)
