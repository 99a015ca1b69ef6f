"""The question before a load, in the page: the sum, and a button for each way out."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.viewmodels.chat.load_gate import LoadGate
from app.viewmodels.chat.load_question import Line, LoadQuestion, Way
from app.views.kit.buttons import TextButton
from app.views.kit.controls import FilledButton, SmallButton
from app.views.kit.flow import Flow
from app.views.kit.icons import pixmap
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import FontRole, Theme

_LARGEST_SHARE = 0.5
"""Of the height of the window; a longer question scrolls, and its buttons stay in sight."""


class LoadQuestionPanel(QWidget):
    """Shows the question of `gate`, and nothing when there is none. Escape gives up."""

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
        gate.question_changed.connect(self._follow)
        theme.changed.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        """Build the question anew: there is at most one in a while."""
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
            self._buttons = self._build_buttons(question.ways)
            self._buttons.installEventFilter(self)
            self._column.addWidget(self._buttons)
            self.setAccessibleName(question.title)
            self.setAccessibleDescription(question.message)
        self.setVisible(question is not None)
        self._follow_height()

    def _build(self, question: LoadQuestion) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._head(question))
        if question.lines:
            column.addWidget(self._sum(question.lines))
        if question.footnote:
            column.addWidget(self._label(question.footnote, "small", quiet=True))
        return inside

    def _head(self, question: LoadQuestion) -> QHBoxLayout:
        side = self._theme.scaled(18)
        symbol = QLabel()
        colour = self._theme.palette.warning
        symbol.setPixmap(pixmap("warning", side=side, scale=self.devicePixelRatioF(), color=colour))
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(symbol, 0, Qt.AlignmentFlag.AlignTop)
        text = QVBoxLayout()
        text.setSpacing(3)
        text.addWidget(self._label(question.title, "label", bold=True))
        text.addWidget(self._label(question.message, "label"))
        row.addLayout(text, 1)
        return row

    def _sum(self, lines: tuple[Line, ...]) -> QWidget:
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
            grid.addWidget(self._label(line.remark, "label", quiet=True), row, 2)
        return table

    def _build_buttons(self, ways: tuple[Way, ...]) -> Flow:
        cancel = Way("Cancel", self._gate.give_up, "elsewhere")
        return Flow([self._button(way, is_first=way is ways[0]) for way in (*ways, cancel)])

    def _button(self, way: Way, *, is_first: bool) -> TextButton:
        is_best = is_first and way.kind == "out"
        button = FilledButton(self._theme, way.text) if is_best else SmallButton(self._theme, way.text)
        button.clicked.connect(way.take)
        return button

    def _label(
        self, text: str, role: FontRole, *, bold: bool = False, quiet: bool = False, wraps: bool = True
    ) -> QLabel:
        label = QLabel(text, wordWrap=wraps, textFormat=Qt.TextFormat.PlainText)
        label.setFont(self._theme.font(role, bold=bold, tabular=True))
        palette = label.palette()
        colours = self._theme.palette
        palette.setColor(palette.ColorRole.WindowText, colours.secondary if quiet else colours.text)
        label.setPalette(palette)
        return label

    def _follow_height(self) -> None:
        """Be as high as the question, as far as the window has room."""
        inside = self._scroll.widget()
        layout = inside.layout() if inside else None
        if layout is not None:
            needed = layout.totalHeightForWidth(self._scroll.viewport().width())
            most = round(self.window().height() * _LARGEST_SHARE) - self._rest()
            self._scroll.setFixedHeight(min(needed, max(most, self._theme.scaled(60))))

    def _rest(self) -> int:
        """Return the height of all but what scrolls."""
        margins = self._column.contentsMargins()
        buttons = self._buttons.height() if self._buttons else 0
        return margins.top() + self._column.spacing() + buttons + margins.bottom()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._follow_height()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_height()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._gate.give_up()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colours = self._theme.palette
        tone = mixed(colours.window, colours.warning, 0.08)
        rounded(QPainter(self), QRectF(self.rect()), 14, tone, mixed(colours.border, colours.warning, 0.5))
