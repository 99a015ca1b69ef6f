"""Where a person gives a text of their own to be measured."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.viewmodels.tokens.states import Busy, Shown
from app.viewmodels.tokens.view import TokenView
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_LINES = (5, 2, 1)
"""Of the editor: where there is room, where there is little or a text is shown below it, and where both is so."""
_PROMISE = "Both models read it on this computer, one after the other. Nothing of it leaves it."
_KEPT = "It is kept in {folder}, with what they answer, until you forget it."


class OwnText(QWidget):
    """Shown while the text is the person's own. ⌘ or Ctrl with Return measures."""

    def __init__(self, view: TokenView, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._theme, self._is_brief = view, theme, False
        self.editor = _Editor(theme)
        self.button = FilledButton(theme, "Measure")
        self.stop = SmallButton(theme, "Stop")
        self.forget = SmallButton(theme, "Forget this text", "Remove it from the disk, and what was measured on it")
        self._words = TextLabel(theme, role="small", tone="secondary", wraps=True)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._words, 1)
        row.addWidget(self.forget)
        row.addWidget(self.stop)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(6)
        column.addWidget(self.editor)
        column.addLayout(row)
        self.button.clicked.connect(self.measure)
        self.stop.clicked.connect(view.own.stop)
        self.forget.clicked.connect(self.editor.clear)
        self.forget.clicked.connect(self._forget)
        self.editor.textChanged.connect(self._follow_text)
        view.changed.connect(self.follow)
        self.follow()

    def measure(self) -> None:
        """Let both models read what is in the editor."""
        self._view.measure(self.editor.toPlainText())

    def follow(self) -> None:
        """Say what can be done now."""
        self.setVisible(self._view.is_own)
        is_busy, obstacle = isinstance(self._view.state, Busy), self._view.obstacle
        kept = _KEPT.format(folder=self._view.own.folder)
        self._words.setText(obstacle or (_PROMISE if self._is_brief else f"{_PROMISE} {kept}"))
        self._words.setToolTip(kept)
        is_shown = isinstance(self._view.state, Shown)
        self._words.setVisible(bool(obstacle) or not (self._is_brief and is_shown))
        self.editor.set_lines(_LINES[self._is_brief + is_shown])
        self.forget.setVisible(self._view.own.is_kept and not is_busy)
        self.stop.setVisible(is_busy)
        self.button.setVisible(not is_busy)
        self.button.setEnabled(not obstacle and bool(self.editor.toPlainText().strip()))
        self.button.setToolTip(obstacle)

    def show_briefly(self, is_brief: bool) -> None:
        """Leave the room to the text that was measured."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            self.follow()

    def _follow_text(self) -> None:
        """Forget a text that was taken out of the editor."""
        if self.editor.toPlainText():
            self.follow()
        else:
            self._forget()

    def _forget(self) -> None:
        if self._view.own.is_kept and not isinstance(self._view.state, Busy):
            self._view.own.forget()
        self.follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.measure()
        else:
            super().keyPressEvent(event)


class _Editor(QPlainTextEdit):
    """Plain text in a frame of our own."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme, self._lines = theme, _LINES[0]
        self.setAccessibleName("Your own text")
        self.setPlaceholderText("Paste or type a text: a letter, some code, an answer you liked…")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(10)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._dress)
        self._dress()

    def set_lines(self, lines: int) -> None:
        """Be as high as so many lines of text."""
        if lines != self._lines:
            self._lines = lines
            self._dress()

    def _dress(self) -> None:
        self.setFont(self._theme.font("label"))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, self._theme.palette.text)
        palette.setColor(QPalette.ColorRole.PlaceholderText, self._theme.palette.tertiary)
        self.setPalette(palette)
        self.setFixedHeight(self._lines * self.fontMetrics().lineSpacing() + 20)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours, painter, area = self._theme.palette, QPainter(self.viewport()), QRectF(self.viewport().rect())
        rounded(painter, area, 9, colours.surface, colours.border)
        if self.hasFocus():
            focus_ring(painter, area, 9, colours.accent)
        painter.end()
        super().paintEvent(event)
