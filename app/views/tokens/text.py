"""A text with each token tinted by how far a quantization is from the original there. One widget draws it all."""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QColor,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from app.viewmodels.token_view_passage import Passage
from app.viewmodels.token_view_words import sentence
from app.views.painting import focus_ring, rounded
from app.views.theme import Theme
from app.views.tokens.card import TokenCard
from app.views.tokens.layout import BEFORE, Cell, Line, TokenLayout
from app.views.tokens.scale import KlScale, share

MONO_KINDS = frozenset({"code", "structured"})
_MARGIN, _STRIP = 20, 10
_UNDERLINE = 2.0
_VEIL = 0.33
"""How much of the ground lies over the beginning of a line that is not scored: it looks like the lines before then."""
_OVER = 4
"""Pixels by which the picture of a line is higher than the line: marks reach out of it."""
_MOST_PICTURES = 150
_STILL_MS = 160
"""So long the width has to stay the same before a text is laid out for it again."""


class TokenText(QAbstractScrollArea):
    """Shows a passage. `moved` tells which token the keyboard is at, `step_requested` that the next divergence is
    wanted, or with -1 the one before.
    """

    moved = Signal(int)
    step_requested = Signal(int)
    copy_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._passage: Passage | None = None
        self._layout: TokenLayout | None = None
        self._tints: Sequence[QColor | None] = ()
        self._strip: QPixmap | None = None
        self._pictures: dict[int, QPixmap] = {}
        self.current: int | None = None
        self.hovered: int | None = None
        self.card = TokenCard(theme, self)
        self._later = QTimer(self, singleShot=True, interval=_STILL_MS)
        self._later.timeout.connect(self._lay_out)
        self.setAccessibleName("Text, tinted by how far the models are apart")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._lay_out)

    def show_passage(self, passage: Passage | None, current: int | None = None) -> None:
        """Show another text from its top, or with a token in sight."""
        self._passage, self.current, self.hovered = passage, None, None
        self.card.hide()
        self._lay_out()
        self.verticalScrollBar().setValue(0)
        if passage and current is not None:
            self.go_to(current)

    def go_to(self, token: int) -> None:
        """Mark this token, with its card, and scroll to where it is seen."""
        if not self._passage or not self._layout:
            return
        self.current = token
        rects = self._layout.rects_of(self._layout.cell_of(token))
        if rects:
            self._bring_into_sight(rects[0].top(), rects[-1].bottom())
        self.setAccessibleDescription(sentence(self._passage, token))
        self._place_card()
        self.viewport().update()

    def place_of(self, token: int) -> QRectF:
        """Return where a token begins, in the viewport; nowhere if it is not drawn."""
        if self._layout is None:
            return QRectF()
        rects = self._layout.rects_of(self._layout.cell_of(token))
        return rects[0].translated(self._offset()) if rects else QRectF()

    def _bring_into_sight(self, top: float, bottom: float) -> None:
        """Scroll so that there is room below for the card; a text that is in sight already stays where it is."""
        bar, height = self.verticalScrollBar(), self.viewport().height()
        seen, room = top + _MARGIN - bar.value(), min(self.card.sizeHint().height() + 12, height / 2)
        if seen < 0 or bottom + _MARGIN - bar.value() + room > height:
            bar.setValue(round(top + _MARGIN - height / 3))

    def _lay_out(self) -> None:
        self._later.stop()
        if self._passage is None:
            self._layout, self._tints = None, ()
        else:
            font = self._theme.font("mono" if self._passage.read.kind in MONO_KINDS else "body")
            self._layout = TokenLayout(self._passage.read, font, self._text_width())
            scale = KlScale.of(self._theme)
            self._tints = [scale.colour(self._kl(cell)) for cell in self._layout.cells]
        self._strip = None
        self._pictures.clear()
        self._follow_height()
        self._place_card()
        self.viewport().update()

    def _kl(self, cell: Cell) -> float:
        assert self._passage  # noqa: S101 - cells are of a passage
        return max(self._passage.tokens[token].kl for token in cell.tokens)

    def _text_width(self) -> int:
        return min(self.viewport().width() - 2 * _MARGIN - _STRIP, self._theme.scaled(920))

    def _follow_height(self) -> None:
        height = (self._layout.height if self._layout else 0) + 2 * _MARGIN
        bar, page = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max(round(height) - page, 0))
        bar.setPageStep(page)
        bar.setSingleStep(round(self._layout.line_height) if self._layout else 20)

    def _offset(self) -> QPointF:
        """Where the page with the text begins in the viewport."""
        return QPointF(_MARGIN, _MARGIN - self.verticalScrollBar().value())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._layout is None:
            return
        painter, offset = QPainter(self.viewport()), self._offset()
        area = QRectF(event.rect()).translated(-offset)
        for number in self._layout.between(area.top(), area.bottom()):
            top = offset.y() + self._layout.lines[number].top - _OVER
            painter.drawPixmap(QPointF(0, top), self._drawn(number))
        self._paint_marked(painter, offset)
        self._paint_strip(painter)

    def _drawn(self, number: int) -> QPixmap:
        """Return the line of that number as a picture; what was drawn lately is kept, so that scrolling copies it."""
        if (known := self._pictures.get(number)) is not None:
            return known
        assert self._layout  # noqa: S101 - it is drawn
        ratio, height = self.devicePixelRatioF(), self._layout.line_height + 2 * _OVER
        picture = QPixmap(round((self._text_width() + 2 * _MARGIN) * ratio), round(height * ratio))
        picture.setDevicePixelRatio(ratio)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self._layout.lines[number]
        self._paint_line(painter, QPointF(_MARGIN, _OVER - line.top), line, self._layout.rects(number))
        painter.end()
        if len(self._pictures) >= _MOST_PICTURES:
            self._pictures.pop(next(iter(self._pictures)))
        self._pictures[number] = picture
        return picture

    def _paint_line(self, painter: QPainter, offset: QPointF, line: Line, rects: Sequence[tuple[int, QRectF]]) -> None:
        colours = self._theme.palette
        for cell, rect in rects:
            if cell != BEFORE and (tint := self._tints[cell]):
                rounded(painter, rect.translated(offset).adjusted(0.5, 0, -0.5, 0), 3, tint)
        is_before = all(cell == BEFORE for cell, _ in rects)
        painter.setPen(colours.secondary if is_before else colours.text)
        line.line.draw(painter, offset + line.origin)
        for cell, rect in rects:
            place = rect.translated(offset)
            if cell == BEFORE and not is_before:
                veil = QColor(colours.window)
                veil.setAlphaF(_VEIL)
                painter.fillRect(place, veil)
            elif cell != BEFORE and self._differs(cell):
                painter.fillRect(
                    QRectF(place.left() + 1, place.bottom(), place.width() - 2, _UNDERLINE), colours.danger
                )
                if cell == self._first_flip():
                    self._paint_flag(painter, place)

    def _paint_flag(self, painter: QPainter, place: QRectF) -> None:
        """Mark the first token where the choice differs: up to here, both would have written the same."""
        side = self._theme.scaled(7)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.palette.danger)
        top = QPointF(place.left(), place.top() - 1)
        painter.drawPolygon([top, top + QPointF(side, 0), top + QPointF(0, side)])

    def _first_flip(self) -> int | None:
        first = self._passage.read.first_difference if self._passage else None
        return self._layout.cell_of(first) if self._layout and first is not None else None

    def _differs(self, cell: int) -> bool:
        assert self._passage and self._layout  # noqa: S101, PT018 - cells are of a passage
        return any(self._passage.tokens[token].differs for token in self._layout.cells[cell].tokens)

    def _paint_marked(self, painter: QPainter, offset: QPointF) -> None:
        assert self._layout  # noqa: S101 - it is drawn
        colours = self._theme.palette
        if self.hovered is not None:
            for rect in self._layout.rects_of(self.hovered):
                rounded(painter, rect.translated(offset).adjusted(-1, -1, 1, 1), 4, None, colours.secondary)
        if self.current is not None:
            for rect in self._layout.rects_of(self._layout.cell_of(self.current)):
                focus_ring(painter, rect.translated(offset).adjusted(-3, -3, 3, 3), 5, colours.accent)

    def _paint_strip(self, painter: QPainter) -> None:
        """Draw the whole text as a strip at the right: where in it the models are far apart."""
        size = self.viewport().size()
        if self._strip is None or self._strip.height() != size.height() * self.devicePixelRatioF():
            self._strip = self._made_strip(size.height())
        painter.drawPixmap(size.width() - _STRIP, 0, self._strip)

    def _made_strip(self, height: int) -> QPixmap:
        assert self._layout  # noqa: S101 - it is drawn
        ratio = self.devicePixelRatioF()
        image = QPixmap(round(_STRIP * ratio), round(height * ratio))
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        painter, scale = QPainter(image), KlScale.of(self._theme)
        step = height / max(len(self._layout.lines), 1)
        for number, line in enumerate(self._layout.lines):
            most = max(
                (self._kl(self._layout.cells[span.cell]) for span in line.spans if span.cell != BEFORE), default=0
            )
            if tint := scale.colour(most):
                painter.fillRect(QRectF(1, number * step, _STRIP * (0.4 + 0.5 * share(most)), max(step, 1)), tint)
        painter.end()
        return image

    def _place_card(self) -> None:
        """Show the card of the token below the mouse, or else of the one the keyboard is at, if it is in sight."""
        if not self._passage or not self._layout or not self.isVisible():
            self.card.hide()
            return
        cell = self.hovered
        if cell is None and self.current is not None:
            cell = self._layout.cell_of(self.current)
        around = self.place_of(self._layout.cells[cell].last) if cell is not None else QRectF()
        if cell is None or not QRectF(self.viewport().rect()).intersects(around):
            self.card.hide()
            return
        around.translate(self.viewport().mapTo(self.window(), QPointF(0, 0)))
        self.card.show_token(self._passage, self._told(self._passage, self._layout.cells[cell]), around)

    def _told(self, passage: Passage, cell: Cell) -> int:
        """Return which token of a cell the card is about: the one the keyboard is at, or the farthest apart."""
        if self.current in cell.tokens and self.current is not None:
            return self.current
        return max(cell.tokens, key=lambda token: passage.tokens[token].kl)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_requested.emit()
        elif event.key() in {Qt.Key.Key_J, Qt.Key.Key_K}:
            self.step_requested.emit(1 if event.key() == Qt.Key.Key_J else -1)
        elif event.key() in {Qt.Key.Key_Right, Qt.Key.Key_Left}:
            self._move(1 if event.key() == Qt.Key.Key_Right else -1)
        elif event.key() == Qt.Key.Key_Escape and self.current is not None:
            self._unmark()
        else:
            super().keyPressEvent(event)

    def _move(self, direction: int) -> None:
        count = len(self._passage.tokens) if self._passage else 0
        if count:
            start = -1 if direction > 0 else count
            self.moved.emit(min(max((start if self.current is None else self.current) + direction, 0), count - 1))

    def _unmark(self) -> None:
        self.current = None
        self._place_card()
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._layout.cell_at(event.position() - self._offset()) if self._layout else None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._layout.cell_at(event.position() - self._offset()) if self._layout else None
        if cell is not None and self._layout:
            self.moved.emit(self._layout.cells[cell].last)
        elif event.position().x() <= self.viewport().width() - _STRIP:
            self._unmark()
        else:
            bar = self.verticalScrollBar()
            bar.setValue(round(event.position().y() / self.viewport().height() * (bar.maximum() + bar.pageStep())))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def _hover(self, cell: int | None) -> None:
        if cell != self.hovered:
            self.hovered = cell
            self._place_card()
            self.viewport().update()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.hovered = None
        self._place_card()
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place_card()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.card.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_height()
        if self._layout and event.oldSize().width() != event.size().width():
            self._later.start()
