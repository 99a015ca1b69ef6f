"""The way to the pages, the list of conversations (open, rename in place, delete), and what jobs go on."""

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QFrame, QListView, QMenu, QVBoxLayout, QWidget

from app.viewmodels.chat.chat import ChatViewModel
from app.viewmodels.chat.conversation_list import ConversationListModel, ConversationRole
from app.views.jobs.entry import JobsEntry
from app.views.kit.theme import Theme
from app.views.shell.conversation_delegate import ConversationDelegate
from app.views.shell.page_switch import PageSwitch


class _List(QListView):
    """Return renames, as in the Finder; Backspace with the command key, or Delete, deletes."""

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
    """Follows the conversation on the screen, and opens the one that is chosen."""

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
        self._list = _List(self)
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
        self._follow_chat()

    def _connect(self) -> None:
        self._delegate.renamed.connect(self._conversations.rename)
        self._list.selectionModel().selectionChanged.connect(lambda: self._open(self._chosen()))
        self._list.clicked.connect(self.conversation_chosen)
        self._list.customContextMenuRequested.connect(self._show_menu)
        self._chat.opened.connect(self._follow_chat)
        for changed in (
            self._conversations.rowsInserted,
            self._conversations.rowsMoved,
            self._conversations.modelReset,
        ):
            changed.connect(self._follow_chat)
        # Which row begins a section, and is taller for it, depends on the row above.
        for changed in (self._conversations.dataChanged, self._conversations.rowsRemoved):
            changed.connect(self._list.scheduleDelayedItemsLayout)
        self._theme.changed.connect(self._list.scheduleDelayedItemsLayout)

    def step(self, delta: int) -> None:
        """Open the conversation `delta` rows further down, or the nearest there is."""
        current = self._chosen()
        row = current.row() + delta if current.isValid() else 0
        last = self._conversations.rowCount() - 1
        if last >= 0:
            self._list.setCurrentIndex(self._conversations.index(min(max(row, 0), last), 0))

    def rename_current(self) -> None:
        """Begin to edit the title of the conversation on the screen."""
        if (chosen := self._chosen()).isValid():
            self._list.edit(chosen)

    def delete_current(self) -> None:
        """Delete the conversation on the screen; it can be brought back."""
        if (chosen := self._chosen()).isValid():
            self._conversations.delete(chosen.data(ConversationRole.ID))

    def _chosen(self) -> QModelIndex:
        """Return the selected row. The current one is another matter: a list that gets the focus makes its first so."""
        return next(iter(self._list.selectedIndexes()), QModelIndex())

    def _open(self, index: QModelIndex) -> None:
        if index.isValid() and index.data(ConversationRole.ID) != self._current_id():
            self._chat.open(index.data(ConversationRole.ID))

    def _current_id(self) -> str | None:
        return self._chat.conversation.id if self._chat.conversation else None

    def _follow_chat(self) -> None:
        self._list.scheduleDelayedItemsLayout()
        current = self._current_id()
        row = self._conversations.row_of(current) if current else -1
        if row < 0:
            self._list.selectionModel().clear()
        elif row != self._list.currentIndex().row():
            self._list.setCurrentIndex(self._conversations.index(row, 0))

    def _show_menu(self, where: QPoint) -> None:
        if not self._list.indexAt(where).isValid():
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
        menu.popup(self._list.viewport().mapToGlobal(where))

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.sidebar)
