"""The question before a load: memory estimate and options."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.viewmodels.chat.load_gate import LoadGate
from app.viewmodels.chat.load_question import LoadOption, LoadQuestion, MemoryLine
from app.views.kit.buttons import TextButton
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.flow import Flow
from app.views.kit.icons import pixmap
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import FontRole, Theme

_LARGEST_SHARE = 0.5
"""Largest height as a fraction of the window; a longer question scrolls, with its buttons visible."""


class LoadQuestionPanel(QWidget):
    """Shows the question of `gate`, if any. Escape cancels it."""

    def __init__(self, gate: LoadGate, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gate, self._theme = gate, theme
        self._scroll = QScrollArea(widgetResizable=True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.viewport().setAutoFillBackground(False)
        theme.thin_scroll_bars(self._scroll)
        self._buttons: Flow | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(18, 14, 18, 14)
        self._column.setSpacing(10)
        self._column.addWidget(self._scroll)
        gate.question_changed.connect(self._refresh)
        theme.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        """Rebuild the question, which changes rarely."""
        if (inside := self._scroll.takeWidget()) is not None:
            inside.deleteLater()
        if self._buttons is not None:
            self._column.removeWidget(self._buttons)
            self._buttons.hide()
            self._buttons.deleteLater()
            self._buttons = None
        question = self._gate.question
        if question is not None:
            inside = self._build(question)
            inside.installEventFilter(self)
            self._scroll.setWidget(inside)
            inside.setAutoFillBackground(False)
            self._buttons = self._build_buttons(question.options)
            self._buttons.installEventFilter(self)
            self._column.addWidget(self._buttons)
            self.setAccessibleName(question.title)
            self.setAccessibleDescription(question.message)
        self.setVisible(question is not None)
        self._update_height()

    def _build(self, question: LoadQuestion) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._head(question))
        if question.lines:
            column.addWidget(self._sum(question.lines))
        if question.footnote:
            column.addWidget(self._label(question.footnote, "small", is_secondary=True))
        return inside

    def _head(self, question: LoadQuestion) -> QHBoxLayout:
        side = self._theme.scaled(18)
        symbol = QLabel()
        color = self._theme.palette.warning
        symbol.setPixmap(pixmap("warning", side=side, scale=self.devicePixelRatioF(), color=color))
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(symbol, 0, Qt.AlignmentFlag.AlignTop)
        text = QVBoxLayout()
        text.setSpacing(3)
        text.addWidget(self._label(question.title, "label", bold=True))
        text.addWidget(self._label(question.message, "label"))
        row.addLayout(text, 1)
        return row

    def _sum(self, lines: tuple[MemoryLine, ...]) -> QWidget:
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(self._theme.scaled(18) + 10, 2, 0, 2)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(2, 1)
        for row, line in enumerate(lines):
            grid.addWidget(self._label(line.label, "label", bold=line.is_total, wraps=False), row, 0)
            size = self._label(line.size, "label", bold=line.is_total, wraps=False)
            grid.addWidget(size, row, 1, Qt.AlignmentFlag.AlignRight)
            grid.addWidget(self._label(line.remark, "label", is_secondary=True), row, 2)
        return table

    def _build_buttons(self, options: tuple[LoadOption, ...]) -> Flow:
        cancel = LoadOption("Cancel", self._gate.decline, "elsewhere")
        return Flow([self._button(option, is_first=option is options[0]) for option in (*options, cancel)])

    def _button(self, option: LoadOption, *, is_first: bool) -> TextButton:
        is_best = is_first and option.kind == "out"
        button = FilledButton(self._theme, option.text) if is_best else SmallButton(self._theme, option.text)
        button.clicked.connect(option.choose)
        return button

    def _label(
        self, text: str, role: FontRole, *, bold: bool = False, is_secondary: bool = False, wraps: bool = True
    ) -> QLabel:
        label = QLabel(text, wordWrap=wraps, textFormat=Qt.TextFormat.PlainText)
        label.setFont(self._theme.font(role, bold=bold, tabular=True))
        palette = label.palette()
        colors = self._theme.palette
        palette.setColor(palette.ColorRole.WindowText, colors.secondary if is_secondary else colors.text)
        label.setPalette(palette)
        return label

    def _update_height(self) -> None:
        """Set the height of the question, within the limit of the window."""
        inside = self._scroll.widget()
        layout = inside.layout() if inside else None
        if layout is not None:
            needed = layout.totalHeightForWidth(self._scroll.viewport().width())
            limit = round(self.window().height() * _LARGEST_SHARE) - self._fixed_height()
            self._scroll.setFixedHeight(min(needed, max(limit, self._theme.scaled(60))))

    def _fixed_height(self) -> int:
        """Return the height of everything that does not scroll."""
        margins = self._column.contentsMargins()
        buttons = self._buttons.height() if self._buttons else 0
        return margins.top() + self._column.spacing() + buttons + margins.bottom()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._update_height()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_height()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._gate.decline()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        tone = mixed(colors.window, colors.warning, 0.08)
        rounded(QPainter(self), QRectF(self.rect()), 14, tone, mixed(colors.border, colors.warning, 0.5))
