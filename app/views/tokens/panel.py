"""The token view: controls at the top, the tinted text, and the list of worst places."""

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.viewmodels.tokens.passage_copy import to_html, to_plain_text
from app.viewmodels.tokens.states import NoText, ReadingText, TextFailed, TextShown
from app.viewmodels.tokens.view import TokenViewModel
from app.views.kit.flow import Flow
from app.views.kit.grid import SIDE
from app.views.kit.study_pane import StudyPane
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from app.views.tokens.controls import WORST, TokenControls
from app.views.tokens.legend import TokenLegend
from app.views.tokens.notice import TokenNotice
from app.views.tokens.pasted_text import PastedTextPanel
from app.views.tokens.scale import KlScale
from app.views.tokens.token_text import TokenText
from app.views.tokens.worst_list import WorstList

_WIDE, _HIGH, _LIST_WIDTH = 760, 300, 280
"""Pixels at 100% text size. On narrower panels, the list is optional and below the text; lower ones have no legend."""


class TokensPanel(StudyPane):
    """Shows `view`, which starts reading when the panel first becomes visible."""

    def __init__(self, view: TokenViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._theme = view, theme
        self._is_wide = True
        self.controls = TokenControls(view, theme)
        self.pasted_text = PastedTextPanel(view, theme)
        self.text = TokenText(theme)
        self.worst = WorstList(theme)
        self.legend = TokenLegend(theme)
        self._summary = TextLabel(theme, role="small", tone="secondary")
        self._summary.setContentsMargins(0, 0, 18, 0)
        self._notice = TokenNotice(theme)
        self._text_shown: TextShown | None = None
        self._lay_out()
        self._connect()
        self.refresh()

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
        head.addWidget(self.pasted_text)
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
        view.changed.connect(self.refresh)
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

    def refresh(self) -> None:
        """Show the current state."""
        state = self._view.state
        self.worst.show_divergences(self._view.worst)
        match state:
            case TextShown():
                if state is not self._text_shown:
                    self.text.show_passage(state.passage, self._view.current)
                self._summary.setText(state.passage.summary)
                self._stack.setCurrentWidget(self.text)
            case ReadingText(message=message, share=share):
                self._show_notice("", message, share)
            case TextFailed(title=title, message=message):
                self._show_notice(title, message)
            case NoText(message=message):
                self._show_notice("", message)
        self._text_shown = state if isinstance(state, TextShown) else None
        self._arrange()

    def copy(self, *, is_html: bool) -> None:
        """Copy the text, as plain text and optionally as HTML."""
        if self._text_shown is None:
            return
        passage, scale = self._text_shown.passage, KlScale(is_dark=False)
        content = QMimeData()
        content.setText(to_plain_text(passage))
        if is_html:
            mark = "#c9252d"
            content.setHtml(to_html(passage, lambda kl: color.name() if (color := scale.color(kl)) else "", mark))
        QGuiApplication.clipboard().setMimeData(content)

    def _show_notice(self, title: str, message: str, share: float | None = None) -> None:
        self._notice.show_message(title, message, share)
        self._summary.setText("")
        self._stack.setCurrentWidget(self._notice)

    def _step(self, direction: int) -> None:
        if self.controls.mode == WORST:
            self.worst.step(direction)
        else:
            self._view.step(direction)
        self.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _arrange(self) -> None:
        """Arrange the list next to the text or below it, depending on the width."""
        is_wide = self.width() >= self._theme.scaled(_WIDE)
        self._splitter.setOrientation(Qt.Orientation.Horizontal if is_wide else Qt.Orientation.Vertical)
        self.worst.setVisible(self.controls.worst.isChecked() and self.worst.count() > 0)
        # With little height, the text gets all the space.
        is_low = self.height() < self._theme.scaled(_HIGH)
        self._foot.setVisible(self._text_shown is not None and not is_low)
        self.pasted_text.set_brief(is_low)
        if is_wide != self._is_wide:
            self._is_wide = is_wide
            self.controls.worst.setChecked(is_wide)
        length = self._splitter.width() if is_wide else self._splitter.height()
        part = self._theme.scaled(_LIST_WIDTH) if is_wide else length // 3
        self._splitter.setSizes([max(length - part, 1), part])

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._view.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
