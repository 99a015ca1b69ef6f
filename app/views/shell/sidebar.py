"""The sidebar: pages, the list of conversations (open, rename, delete), and the progress of jobs."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QMenu, QVBoxLayout, QWidget

from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.chat.conversation_list import ConversationListModel, ConversationRole
from app.views.jobs.entry import JobsEntry
from app.views.kit.theme import Theme
from app.views.shell.conversation_delegate import ConversationDelegate
from app.views.shell.page_switch import PageSwitch


class _ConversationView(QListView):
    """Return renames, as in the Finder; Delete and Backspace delete."""

    def __init__(self, sidebar: "Sidebar") -> None:
        super().__init__(sidebar)
        self._sidebar = sidebar
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMouseTracking(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName("Conversations")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() == QAbstractItemView.State.EditingState:
            super().keyPressEvent(event)
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self._sidebar.rename_current()
        elif event.key() in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self._sidebar.delete_current()
        else:
            super().keyPressEvent(event)


class Sidebar(QWidget):
    """Highlights the conversation that is open, and opens the one that the user selects."""

    conversation_chosen = Signal()
    export_requested = Signal()

    def __init__(
        self, conversations: ConversationListModel, chat: ChatViewModel, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._conversations, self._chat, self._theme = conversations, chat, theme
        self.pages = PageSwitch(theme, self)
        self.study = JobsEntry(theme, self, name="Lab", icon="lab")
        self.jobs = JobsEntry(theme, self)
        self._list = _ConversationView(self)
        self._delegate = ConversationDelegate(theme, self._list)
        self._list.setItemDelegate(self._delegate)
        self._list.setModel(conversations)
        theme.thin_scroll_bars(self._list)
        self.setFocusProxy(self._list)
        self.setMinimumWidth(160)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.pages)
        column.addWidget(self._list)
        column.addWidget(self.study)
        column.addWidget(self.jobs)
        self._connect()
        self._select_current()

    def _connect(self) -> None:
        self._delegate.renamed.connect(self._conversations.rename)
        self._list.selectionModel().selectionChanged.connect(lambda: self._open(self._selected()))
        self._list.clicked.connect(self.conversation_chosen)
        self._list.customContextMenuRequested.connect(self._show_menu)
        self._chat.opened.connect(self._select_current)
        for changed in (
            self._conversations.rowsInserted,
            self._conversations.rowsMoved,
            self._conversations.modelReset,
        ):
            changed.connect(self._select_current)
        # A row is taller if it starts a section, which depends on the row above.
        for changed in (self._conversations.dataChanged, self._conversations.rowsRemoved):
            changed.connect(self._list.scheduleDelayedItemsLayout)
        self._theme.changed.connect(self._list.scheduleDelayedItemsLayout)

    def step(self, delta: int) -> None:
        """Open the conversation `delta` rows below the current one, or the nearest one."""
        current = self._selected()
        row = current.row() + delta if current.isValid() else 0
        last = self._conversations.rowCount() - 1
        if last >= 0:
            self._list.setCurrentIndex(self._conversations.index(min(max(row, 0), last), 0))

    def rename_current(self) -> None:
        """Edit the title of the open conversation."""
        if (index := self._selected()).isValid():
            self._list.edit(index)

    def delete_current(self) -> None:
        """Delete the open conversation; it can be restored."""
        if (index := self._selected()).isValid():
            self._conversations.delete(index.data(ConversationRole.ID))

    def _selected(self) -> QModelIndex:
        """Return the selected row. The current row may differ: a list that gets the focus sets it to the first."""
        return next(iter(self._list.selectedIndexes()), QModelIndex())

    def _open(self, index: QModelIndex) -> None:
        if index.isValid() and index.data(ConversationRole.ID) != self._current_id():
            self._chat.open(index.data(ConversationRole.ID))

    def _current_id(self) -> str | None:
        return self._chat.conversation.id if self._chat.conversation else None

    def _select_current(self) -> None:
        self._list.scheduleDelayedItemsLayout()
        current = self._current_id()
        row = self._conversations.row_of(current) if current else -1
        if row < 0:
            self._list.selectionModel().clear()
        elif row != self._list.currentIndex().row():
            self._list.setCurrentIndex(self._conversations.index(row, 0))

    def _show_menu(self, position: QPoint) -> None:
        if not self._list.indexAt(position).isValid():
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for text, slot in (
            ("Rename", self.rename_current),
            ("Export…", self.export_requested.emit),
            ("Delete", self.delete_current),
        ):
            action = QAction(text, menu)
            action.triggered.connect(slot)
            menu.addAction(action)
        menu.popup(self._list.viewport().mapToGlobal(position))

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.sidebar)
