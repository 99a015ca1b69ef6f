"""The view of tokens: what to choose above, the text with its tints, and the worst places beside it."""

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.tokens.passage_copy import as_html, as_plain
from app.viewmodels.tokens.states import Broken, Busy, Idle, Shown
from app.viewmodels.tokens.view import TokenView
from app.views.kit.flow import Flow
from app.views.kit.grid import SIDE
from app.views.kit.study_pane import StudyPane
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.tokens.controls import WORST, Controls
from app.views.tokens.legend import Legend
from app.views.tokens.notice import Notice
from app.views.tokens.own_text import OwnText
from app.views.tokens.scale import KlScale
from app.views.tokens.text import TokenText
from app.views.tokens.worst import WorstList

_WIDE, _HIGH, _LIST_WIDTH = 760, 300, 280
"""Pixels at 100 %: on narrower panels the list stands below the text, and only if it is wanted; lower ones have no
legend."""


class TokensPanel(StudyPane):
    """Shows `view`, which begins to read when the panel is first seen."""

    def __init__(self, view: TokenView, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._theme = view, theme
        self._is_wide = True
        self.controls = Controls(view, theme)
        self.own_text = OwnText(view, theme)
        self.text = TokenText(theme)
        self.worst = WorstList(theme)
        self.legend = Legend(theme)
        self._summary = TextLabel(theme, role="small", tone="secondary")
        self._summary.setContentsMargins(0, 0, 18, 0)
        self._notice = Notice(theme)
        self._shown: Shown | None = None
        self._lay_out()
        self._connect()
        self.follow()

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.text)
        self._stack.addWidget(self._notice)
        self._splitter = QSplitter()
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self._stack)
        self._splitter.addWidget(self.worst)
        self._splitter.setStretchFactor(0, 1)
        head = QVBoxLayout()
        head.setContentsMargins(SIDE - 4, 0, SIDE - 4, 4)
        head.setSpacing(8)
        head.addWidget(self.controls)
        head.addWidget(self.own_text)
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(SIDE, 6, SIDE, 6)
        foot.addWidget(Flow((self._summary, self.legend)))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._splitter, 1)
        column.addWidget(self._foot)
        self.setFocusProxy(self.text)

    def _connect(self) -> None:
        view, text = self._view, self.text
        view.changed.connect(self.follow)
        view.moved.connect(lambda: text.go_to(view.current) if view.current is not None else None)
        text.moved.connect(view.go_to)
        text.step_requested.connect(self._step)
        text.swap_requested.connect(view.swap)
        text.copy_requested.connect(lambda: self.copy(is_html=True))
        self.controls.step_requested.connect(self._step)
        self.controls.copy_requested.connect(lambda is_html: self.copy(is_html=is_html))
        self.controls.worst.setChecked(True)
        self.controls.worst.toggled.connect(self._arrange)
        self.worst.chosen.connect(view.jump)
        self._theme.changed.connect(self._arrange)

    def follow(self) -> None:
        """Show the state as it is now."""
        state = self._view.state
        self.worst.show_divergences(self._view.worst)
        match state:
            case Shown():
                if state is not self._shown:
                    self.text.show_passage(state.passage, self._view.current)
                self._summary.setText(state.passage.in_words)
                self._stack.setCurrentWidget(self.text)
            case Busy(words=words, share=share):
                self._tell("", words, share)
            case Broken(title=title, message=message):
                self._tell(title, message)
            case Idle(words=words):
                self._tell("", words)
        self._shown = state if isinstance(state, Shown) else None
        self._arrange()

    def copy(self, *, is_html: bool) -> None:
        """Put the text on the clipboard; as HTML, programs that take no HTML get it plain."""
        if self._shown is None:
            return
        passage, scale = self._shown.passage, KlScale(is_dark=False)
        content = QMimeData()
        content.setText(as_plain(passage))
        if is_html:
            mark = "#c9252d"
            content.setHtml(as_html(passage, lambda kl: colour.name() if (colour := scale.colour(kl)) else "", mark))
        QGuiApplication.clipboard().setMimeData(content)

    def _tell(self, title: str, words: str, share: float | None = None) -> None:
        self._notice.tell(title, words, share)
        self._summary.setText("")
        self._stack.setCurrentWidget(self._notice)

    def _step(self, direction: int) -> None:
        if self.controls.aim == WORST:
            self.worst.step(direction)
        else:
            self._view.step(direction)
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        """Put the list beside the text or below it, as there is room."""
        is_wide = self.width() >= self._theme.scaled(_WIDE)
        self._splitter.setOrientation(Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical)
        self.worst.setVisible(self.controls.worst.isChecked() and self.worst.count() > 0)
        # Where a few lines are all there is room for, they are the text's.
        is_low = self.height() < self._theme.scaled(_HIGH)
        self._foot.setVisible(self._shown is not None and not is_low)
        self.own_text.show_briefly(is_low)
        if is_wide != self._is_wide:
            self._is_wide = is_wide
            self.controls.worst.setChecked(is_wide)
        length = self._splitter.width() if is_wide else self._splitter.height()
        part = self._theme.scaled(_LIST_WIDTH) if is_wide else length // 3
        self._splitter.setSizes([max(length - part, 1), part])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._view.begin()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
