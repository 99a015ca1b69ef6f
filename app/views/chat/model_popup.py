"""The list of models, for choosing, loading and unloading."""

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QListView, QToolTip, QVBoxLayout, QWidget

from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.formatting.engine import describe_engine
from app.viewmodels.library.library import ModelLibrary, ModelRole
from app.views.chat.model_delegate import ModelDelegate
from app.views.kit.buttons import IconButton, TextButton
from app.views.kit.painting import rounded
from app.views.kit.plain_text import plain
from app.views.kit.theme import Theme


class _ModelList(QListView):
    """Return chooses a model. The tooltip of a broken or failed model has the reason."""

    chosen = Signal(QModelIndex)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("Models")
        self.clicked.connect(self.chosen)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.chosen.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.indexAt(event.pos())
            QToolTip.showText(event.globalPos(), plain(problem(index)) if index.isValid() else "", self)
            return True
        return super().viewportEvent(event)


class ModelPopup(QFrame):
    """The list, with actions for the selected model and the folder below."""

    folder_requested = Signal()

    def __init__(self, library: ModelLibrary, chat: ChatViewModel, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint)
        self._library, self._chat, self._theme = library, chat, theme
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
        self._list = _ModelList(self)
        self._delegate = ModelDelegate(theme, self._list)
        self._list.setItemDelegate(self._delegate)
        self._list.setModel(library)
        theme.thin_scroll_bars(self._list)
        self._empty_label = QLabel("No models yet", alignment=Qt.AlignmentFlag.AlignCenter)
        self._load = TextButton(theme, "Load")
        self._refresh = IconButton(theme, "regenerate", "Refresh models")
        self._folder = IconButton(theme, "folder", "Open models folder")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        footer = QHBoxLayout()
        footer.setContentsMargins(10, 6, 10, 2)
        footer.addWidget(self._load)
        footer.addStretch()
        footer.addWidget(self._refresh)
        footer.addWidget(self._folder)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 8, 2, 8)
        column.addWidget(self._list, 1)
        column.addWidget(self._empty_label, 1)
        column.addLayout(footer)

    def _connect(self) -> None:
        self._list.chosen.connect(self._choose)
        self._list.selectionModel().currentChanged.connect(self._update_current)
        self._load.clicked.connect(self._load_or_unload)
        self._refresh.clicked.connect(self._library.refresh)
        self._folder.clicked.connect(self.close)
        self._folder.clicked.connect(self.folder_requested)
        for changed in (self._library.dataChanged, self._library.rowsInserted, self._library.modelReset):
            changed.connect(self._update_current)

    def open_below(self, anchor: QWidget) -> None:
        """Show the list centered below `anchor`, as tall as its models."""
        self._delegate.chosen = self._chat.model
        self._list.setCurrentIndex(self._library.index(max(self._library.row_of(self._chat.model), 0), 0))
        self._update_current()
        rows = min(max(self._library.rowCount(), 2), 8)
        row_height = self._list.sizeHintForRow(0) if self._library.rowCount() else self._theme.scaled(50)
        self.resize(self._theme.scaled(380), rows * row_height + self._load.sizeHint().height() + 32)
        self.move(anchor.mapToGlobal(QPoint((anchor.width() - self.width()) // 2, anchor.height() + 4)))
        self.show()
        self._list.setFocus()

    def _update_current(self) -> None:
        is_empty = not self._library.rowCount()
        self._list.setVisible(not is_empty)
        self._empty_label.setVisible(is_empty)
        index = self._list.currentIndex()
        self._load.setEnabled(index.isValid() and not index.data(ModelRole.BROKEN))
        is_loaded = index.isValid() and describe_engine(index.data(ModelRole.STATE)).is_loaded
        self._load.setText("Unload" if is_loaded else "Load")
        self._load.updateGeometry()

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid() and not index.data(ModelRole.BROKEN):
            self._chat.set_model(index.data(ModelRole.ID))
            self.close()

    def _load_or_unload(self) -> None:
        index = self._list.currentIndex()
        is_loaded = describe_engine(index.data(ModelRole.STATE)).is_loaded
        (self._library.unload if is_loaded else self._chat.loading.load)(index.data(ModelRole.ID))
        if self._chat.gate.question:  # the page below shows it
            self.close()

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), QRectF(self.rect()), 12, colors.surface, colors.border)


def problem(index: QModelIndex) -> str:
    """Return the reason why the model of this row is broken or failed, or ""."""
    return str(index.data(ModelRole.BROKEN) or describe_engine(index.data(ModelRole.STATE)).problem)
