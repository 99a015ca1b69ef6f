"""A text with each token tinted by how far a quantization is from the original there. One widget draws it all."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QFont,
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
from app.views.tokens.layout import TokenLayout
from app.views.tokens.lines import OVER, LinePictures
from app.views.tokens.overview import WIDTH, overview
from app.views.tokens.paragraphs import Cell

MONO_KINDS = frozenset({"code", "structured"})
_MARGIN = 20
_WIDEST = 920
"""Pixels of text at 100 %; longer lines are hard to read."""
_ABOVE = 3
"""Lines that are seen above the first that is scored when a text is opened."""
_STILL_MS = 160
"""So long the width has to stay the same before a text is laid out for it again."""
_STEPS: Mapping[int, int] = {Qt.Key.Key_J: 1, Qt.Key.Key_N: 1, Qt.Key.Key_K: -1, Qt.Key.Key_P: -1}
_STEPS_WITH_COMMAND: Mapping[int, int] = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
_MOVES: Mapping[int, int] = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}


class TokenText(QAbstractScrollArea):
    """Shows a passage. `moved` tells which token the keyboard is at, `step_requested` that the next divergence is
    wanted, or with -1 the one before, `swap_requested` that the candidate before this one is.
    """

    moved = Signal(int)
    step_requested = Signal(int)
    copy_requested = Signal()
    swap_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._passage: Passage | None = None
        self._layout: TokenLayout | None = None
        self._pictures: LinePictures | None = None
        self._strip: QPixmap | None = None
        self.current: int | None = None
        self.hovered: int | None = None
        self.card = TokenCard(theme, self)
        self._later = QTimer(self, singleShot=True, interval=_STILL_MS)
        self._later.timeout.connect(self._lay_out)
        self._idle = QTimer(self, singleShot=True, interval=0)
        self._idle.timeout.connect(self._draw_ahead)
        self.setAccessibleName("Text, tinted by how far the models are apart")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._lay_out)

    def show_passage(self, passage: Passage | None, current: int | None = None) -> None:
        """Show another text from where it is scored, or with a token in sight; the same one stays where it is."""
        is_same = bool(passage and self._passage and passage.has_text_of(self._passage))
        self._passage, self.current, self.hovered = passage, None, None
        self.card.hide()
        if is_same:
            self._draw_anew()
        else:
            self._lay_out()
            self.verticalScrollBar().setValue(self._beginning())
        if passage and current is not None:
            self.go_to(current)

    def _beginning(self) -> int:
        """Return how far to scroll so that what is scored is seen, with a little of what comes before."""
        rects = self._layout.rects_of(0) if self._layout and self._layout.cells else []
        above = _ABOVE * self._layout.line_height if self._layout else 0
        return max(round(rects[0].top() - above), 0) if rects else 0

    def go_to(self, token: int) -> None:
        """Mark this token, with its card, and scroll to where it is seen."""
        if not self._passage or not self._layout:
            return
        self.current = token
        rects = self._layout.rects_of(self._layout.cell_of(token))
        if rects:
            self._bring_into_sight(rects[0].top(), rects[-1].bottom())
        words = sentence(self._passage, token)
        self.setAccessibleDescription(words)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))
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
        self._layout = TokenLayout(self._passage.read, self._font(), self._text_width()) if self._passage else None
        self._follow_height()
        self._draw_anew()

    def _draw_anew(self) -> None:
        """Draw the text as it is laid out already."""
        self._strip = self._pictures = None
        self._place_card()
        self.viewport().update()

    def _font(self) -> QFont:
        is_mono = self._passage is not None and self._passage.read.kind in MONO_KINDS
        return self._theme.font("mono" if is_mono else "body")

    def _text_width(self) -> int:
        return min(self.viewport().width() - 2 * _MARGIN - WIDTH, self._theme.scaled(_WIDEST))

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
        if self._layout is None or self._passage is None:
            return
        painter, offset, pictures = QPainter(self.viewport()), self._offset(), self._line_pictures()
        area = QRectF(event.rect()).translated(-offset)
        for number in self._layout.between(area.top(), area.bottom()):
            painter.drawPixmap(QPointF(0, offset.y() + self._layout.lines[number].top - OVER), pictures.of(number))
        self._paint_marked(painter, offset)
        size, ratio = self.viewport().size(), self.devicePixelRatioF()
        if self._strip is None or self._strip.height() != round(size.height() * ratio):
            self._strip = overview(self._theme, self._passage, self._layout, size.height(), ratio)
        painter.drawPixmap(size.width() - WIDTH, 0, self._strip)
        self._idle.start()

    def _line_pictures(self) -> LinePictures:
        assert self._layout and self._passage  # noqa: S101, PT018 - there is something to draw
        if self._pictures is None:
            ratio, width = self.devicePixelRatioF(), self._text_width()
            self._pictures = LinePictures(
                self._theme, self._passage, self._layout, self._font(), width=width, margin=_MARGIN, ratio=ratio
            )
        return self._pictures

    def _draw_ahead(self) -> None:
        """Draw a line that is near to what is seen, while there is nothing else to do."""
        if self._layout and self._pictures:
            page, top = self.viewport().height(), -self._offset().y()
            if self._pictures.prepare(self._layout.between(top - page, top + 2 * page)):
                self._idle.start()

    def _paint_marked(self, painter: QPainter, offset: QPointF) -> None:
        assert self._layout  # noqa: S101 - it is drawn
        colours = self._theme.palette
        if self.hovered is not None:
            for rect in self._layout.rects_of(self.hovered):
                rounded(painter, rect.translated(offset).adjusted(-1, -1, 1, 1), 4, None, colours.secondary)
        if self.current is not None:
            for rect in self._layout.rects_of(self._layout.cell_of(self.current)):
                focus_ring(painter, rect.translated(offset).adjusted(-3, -3, 3, 3), 5, colours.accent)

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
        elif step := self._step_of(event):
            self.step_requested.emit(step)
        elif event.key() == Qt.Key.Key_X:
            self.swap_requested.emit()
        elif event.key() in _MOVES:
            self._move(_MOVES[event.key()])
        elif event.key() == Qt.Key.Key_Escape and self.current is not None:
            self._unmark()
        else:
            super().keyPressEvent(event)

    @staticmethod
    def _step_of(event: QKeyEvent) -> int:
        """Return whether a key asks for the next divergence, 1, or for the one before, -1; else 0."""
        has_command = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        return (_STEPS_WITH_COMMAND if has_command else _STEPS).get(event.key(), 0)

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
        elif event.position().x() <= self.viewport().width() - WIDTH:
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
