"""Card with the predictions of both models for one token. It accepts neither mouse nor focus."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.viewmodels.tokens.format import format_change, format_probability, token_name, visible
from app.viewmodels.tokens.passage import Passage
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme
from mlx_engine.measure.results.messages import ScoredToken
from mlx_engine.measure.results.results import TopToken

_WIDTH, _SIDE, _GAP, _BAR = 400, 14, 22, 3
_ROWS = 6
"""Five choices, and the true token if it is not among them."""


class TokenCard(QWidget):
    """Shows a token of a passage, within the width of the window."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._owner = theme, parent
        self._passage: Passage | None = None
        self._token: ScoredToken | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        theme.changed.connect(self.update)

    def show_token(self, passage: Passage, token: int, around: QRectF) -> None:
        """Show the card below the rectangle `around` of the window, or above it if space is short."""
        self._passage, self._token = passage, passage.tokens[token]
        window = self._owner.window()
        if self.parentWidget() is not window:
            # A child of the window is never clipped; the window is not known earlier.
            self.setParent(window)
        bounds = window.rect()
        self.resize(min(self._theme.scaled(_WIDTH), bounds.width() - 8), self.sizeHint().height())
        left_edge = min(max(around.center().x() - self.width() / 2, 4), bounds.width() - self.width() - 4)
        below, above = around.bottom() + 6, around.top() - 6 - self.height()
        if below + self.height() <= bounds.height() - 4:
            top = below
        else:
            top = above if above >= 4 else max(bounds.height() - self.height() - 4, 4)
        self.move(round(left_edge), round(top))
        self.show()
        self.raise_()
        self.update()

    def sizeHint(self) -> QSize:
        label, small = self._heights()
        rows = max(len(rows) for rows in self._lists()) if self._token else _ROWS
        return QSize(self._theme.scaled(_WIDTH), 2 * _SIDE + label + small + 10 + small + 6 + rows * self._row_height())

    def _heights(self) -> tuple[int, int]:
        return QFontMetrics(self._theme.font("heading")).height(), QFontMetrics(self._theme.font("small")).height()

    def _row_height(self) -> int:
        return self._heights()[1] + _BAR + 7

    def _lists(self) -> tuple[list[TopToken], list[TopToken]]:
        token = self._token
        assert token  # noqa: S101 - a card without token is not painted
        return (
            _with_true(token.reference, token.text, token.reference_probability),
            _with_true(token.candidate, token.text, token.probability),
        )

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._token is None or self._passage is None:
            return
        colors, painter = self._theme.palette, QPainter(self)
        rounded(painter, QRectF(self.rect()), 10, colors.surface, mixed(colors.border, colors.text, 0.18))
        label, small = self._heights()
        area = QRectF(self.rect()).adjusted(_SIDE, _SIDE, -_SIDE, -_SIDE)
        self._paint_head(painter, area, self._token)
        top = area.top() + label + small + 10
        width = (area.width() - _GAP) / 2
        names = (self._passage.reference, self._passage.candidate)
        for index, (name, rows) in enumerate(zip(names, self._lists(), strict=True)):
            column = QRectF(area.left() + index * (width + _GAP), top, width, area.bottom() - top)
            self._paint_list(painter, column, name, rows)

    def _paint_head(self, painter: QPainter, area: QRectF, token: ScoredToken) -> None:
        colors, (label, small) = self._theme.palette, self._heights()
        self._write(painter, QRectF(area.left(), area.top(), area.width(), label), token_name(token), is_heading=True)
        figures = f"KL {token.kl:.3f} nats · Δp {format_change(token)}{' · special token' if token.is_special else ''}"
        line = QRectF(area.left(), area.top() + label, area.width(), small)
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(colors.secondary)
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, figures)
        if token.differs:
            left_edge = painter.fontMetrics().horizontalAdvance(f"{figures}  ")
            painter.setPen(colors.danger)
            rest = line.adjusted(left_edge, 0, 0, 0)
            flip_label = painter.fontMetrics().elidedText(
                "first choice differs", Qt.TextElideMode.ElideRight, int(rest.width())
            )
            painter.drawText(rest, Qt.AlignmentFlag.AlignRight, flip_label)

    def _paint_list(self, painter: QPainter, area: QRectF, name: str, rows: Sequence[TopToken]) -> None:
        colors, (_, small) = self._theme.palette, self._heights()
        painter.setFont(self._theme.font("small"))
        painter.setPen(colors.secondary)
        elided = painter.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, int(area.width()))
        painter.drawText(QRectF(area.left(), area.top(), area.width(), small), Qt.AlignmentFlag.AlignLeft, elided)
        top = area.top() + small + 6
        for choice in rows:
            self._paint_choice(painter, QRectF(area.left(), top, area.width(), small + 1), choice)
            top += self._row_height()

    def _paint_choice(self, painter: QPainter, line: QRectF, choice: TopToken) -> None:
        colors = self._theme.palette
        painter.setFont(self._theme.font("small", tabular=True))
        painter.setPen(colors.text if choice.is_true else colors.secondary)
        probability = format_probability(choice.probability)
        painter.drawText(line, Qt.AlignmentFlag.AlignRight, probability)
        bounds = line.adjusted(0, 0, -painter.fontMetrics().horizontalAdvance(probability) - 8, 0)
        self._write(painter, bounds, ("✓ " if choice.is_true else "") + visible(choice.text), is_bold=choice.is_true)
        bar = QRectF(line.left(), line.bottom() + 2, line.width(), _BAR)
        rounded(painter, bar, _BAR / 2, mixed(colors.surface, colors.text, 0.08))
        bar.setWidth(max(line.width() * min(choice.probability, 1.0), _BAR))
        rounded(painter, bar, _BAR / 2, colors.accent if choice.is_true else colors.tertiary)

    def _write(
        self, painter: QPainter, bounds: QRectF, text: str, *, is_heading: bool = False, is_bold: bool = False
    ) -> None:
        painter.setFont(self._theme.font("heading") if is_heading else self._theme.font("small", bold=is_bold))
        painter.setPen(self._theme.palette.text)
        elided = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, int(bounds.width()))
        painter.drawText(QPointF(bounds.left(), bounds.top() + painter.fontMetrics().ascent()), elided)


def _with_true(choices: Sequence[TopToken], text: str, probability: float) -> list[TopToken]:
    """Return the choices, followed by the true token if it is not among them."""
    rows = list(choices)
    return rows if any(choice.is_true for choice in rows) else [*rows, TopToken(text, probability, is_true=True)]
