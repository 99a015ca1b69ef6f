"""The panel for measuring a text of the user."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.viewmodels.tokens.states import ReadingText, TextShown
from app.viewmodels.tokens.view import TokenViewModel
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_LINES = (5, 2, 1)
"""Lines of the editor: normally, with little space or a text below it, and with both."""
_PRIVACY = "Both models read it on this Mac, one after the other. Nothing leaves your Mac."
_STORAGE = "The text and the answers are stored in {folder} until you delete them."


class PastedTextPanel(QWidget):
    """Visible while the user's text is chosen. Command-Return measures it."""

    def __init__(self, view: TokenViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view, self._theme, self._is_brief = view, theme, False
        self.editor = _Editor(theme)
        self.button = FilledButton(theme, "Measure")
        self.stop = SmallButton(theme, "Stop")
        self.delete = SmallButton(theme, "Delete Text", "Delete the text and its results from disk")
        self._note = TextLabel(theme, role="small", tone="secondary", wraps=True)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self._note, 1)
        row.addWidget(self.delete)
        row.addWidget(self.stop)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(6)
        column.addWidget(self.editor)
        column.addLayout(row)
        self.button.clicked.connect(self.measure)
        self.stop.clicked.connect(view.pasted.stop)
        self.delete.clicked.connect(self.editor.clear)
        self.delete.clicked.connect(self._delete)
        self.editor.textChanged.connect(self._on_text_changed)
        view.changed.connect(self.refresh)
        self.refresh()

    def measure(self) -> None:
        """Measure the text in the editor."""
        self._view.measure(self.editor.toPlainText())

    def refresh(self) -> None:
        """Update the controls to the current state."""
        self.setVisible(self._view.is_pasted)
        is_busy, problem = isinstance(self._view.state, ReadingText), self._view.problem
        storage = _STORAGE.format(folder=self._view.pasted.folder)
        self._note.setText(problem or (_PRIVACY if self._is_brief else f"{_PRIVACY} {storage}"))
        self._note.setToolTip(storage)
        is_shown = isinstance(self._view.state, TextShown)
        self._note.setVisible(bool(problem) or not (self._is_brief and is_shown))
        self.editor.set_lines(_LINES[self._is_brief + is_shown])
        self.delete.setVisible(self._view.pasted.is_saved and not is_busy)
        self.stop.setVisible(is_busy)
        self.button.setVisible(not is_busy)
        self.button.setEnabled(not problem and bool(self.editor.toPlainText().strip()))
        self.button.setToolTip(problem)

    def set_brief(self, is_brief: bool) -> None:
        """Take less space, for the measured text."""
        if is_brief != self._is_brief:
            self._is_brief = is_brief
            self.refresh()

    def _on_text_changed(self) -> None:
        """Delete a text that was removed from the editor."""
        if self.editor.toPlainText():
            self.refresh()
        else:
            self._delete()

    def _delete(self) -> None:
        if self._view.pasted.is_saved and not isinstance(self._view.state, ReadingText):
            self._view.pasted.delete()
        self.refresh()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_return = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        if is_return and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.measure()
        else:
            super().keyPressEvent(event)


class _Editor(QPlainTextEdit):
    """Plain text with a painted frame."""

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
        theme.changed.connect(self._apply_theme)
        self._apply_theme()

    def set_lines(self, lines: int) -> None:
        """Set the height in lines of text."""
        if lines != self._lines:
            self._lines = lines
            self._apply_theme()

    def _apply_theme(self) -> None:
        self.setFont(self._theme.font("label"))
        palette = self.palette()
        palette.setColor(QPalette.ColorRole.Text, self._theme.palette.text)
        palette.setColor(QPalette.ColorRole.PlaceholderText, self._theme.palette.tertiary)
        self.setPalette(palette)
        self.setFixedHeight(self._lines * self.fontMetrics().lineSpacing() + 20)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colors, painter, area = self._theme.palette, QPainter(self.viewport()), QRectF(self.viewport().rect())
        rounded(painter, area, 9, colors.surface, colors.border)
        if self.hasFocus():
            focus_ring(painter, area, 9, colors.accent)
        painter.end()
        super().paintEvent(event)
