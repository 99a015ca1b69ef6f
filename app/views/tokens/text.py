"""A text with each token tinted by how far a quantization is from the original there. One widget draws it all."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QHideEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from app.viewmodels.tokens.format import sentence
from app.viewmodels.tokens.passage import Passage
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme
from app.views.tokens.card import TokenCard
from app.views.tokens.overview import WIDTH
from app.views.tokens.page import MARGIN, Page, Paper

_WIDEST = 920
"""Pixels of text at 100 %; longer lines are hard to read."""
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
        self._page: Page | None = None
        self.current: int | None = None
        self._hovered: int | None = None
        self.card = TokenCard(theme, self)
        self._later = QTimer(self, singleShot=True, interval=_STILL_MS)
        self._later.timeout.connect(self._lay_out_again)
        self._idle = QTimer(self, singleShot=True, interval=0)
        self._idle.timeout.connect(self._draw_ahead)
        self.setAccessibleName("Text, tinted by how far the models are apart")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        # Only what covers all that is behind it is moved when it scrolls, and not painted again.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._lay_out_again)

    def show_passage(self, passage: Passage, current: int | None = None) -> None:
        """Show another text from where it is scored, or with a token in sight; the same one stays where it is."""
        is_same = bool(self._page and passage.has_text_of(self._page.passage))
        self.current = self._hovered = None
        if is_same and self._page:
            self._turn_to(self._page.of(passage))
        else:
            page = Page(self._theme, passage, self._paper())
            self._turn_to(page)
            self.verticalScrollBar().setValue(page.beginning)
        if current is not None:
            self.go_to(current)

    def go_to(self, token: int) -> None:
        """Mark this token, with its card, and scroll to where it is seen."""
        if not self._page:
            return
        self.current = token
        if rects := self._page.rects_of(token):
            self._bring_into_sight(rects[0].top(), rects[-1].bottom())
        words = sentence(self._page.passage, token)
        self.setAccessibleDescription(words)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))
        self._place_card()
        self.viewport().update()

    def place_of(self, token: int) -> QRectF:
        """Return where a token begins, in the viewport; nowhere if it is not drawn."""
        rects = self._page.rects_of(token) if self._page else []
        return rects[0].translated(0, -self._top) if rects else QRectF()

    @property
    def _top(self) -> int:
        """The height of the page at the top of the viewport."""
        return self.verticalScrollBar().value()

    def _bring_into_sight(self, top: float, bottom: float) -> None:
        """Scroll so that there is room below for the card; a text that is in sight already stays where it is."""
        height = self.viewport().height()
        room = min(self.card.sizeHint().height() + 12, height / 2)
        if top < self._top or bottom + room > self._top + height:
            self.verticalScrollBar().setValue(round(top - height / 3))

    def _paper(self) -> Paper:
        width = min(self.viewport().width() - 2 * MARGIN - WIDTH, self._theme.scaled(_WIDEST))
        return Paper(width, self.devicePixelRatioF())

    def _turn_to(self, page: Page) -> None:
        self._page = page
        self._follow_height()
        self._place_card()
        self.viewport().update()

    def _lay_out_again(self) -> None:
        """Lay the same text out for another width or font; the token where one is stays where it is seen."""
        self._later.stop()
        if not self._page:
            return
        seen, height = self.current, self.viewport().height()
        if seen is None:
            seen = self._page.first_between(self._top, self._top + height)
        before = self.place_of(seen).top() if seen is not None else 0.0
        self._turn_to(Page(self._theme, self._page.passage, self._paper()))
        if seen is not None:
            self.verticalScrollBar().setValue(round(self._top + self.place_of(seen).top() - before))

    def _follow_height(self) -> None:
        bar, height = self.verticalScrollBar(), self.viewport().height()
        bar.setRange(0, max((self._page.height if self._page else 0) - height, 0))
        bar.setPageStep(height)
        bar.setSingleStep(round(self._page.layout.line_height) if self._page else 20)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, size = QPainter(self.viewport()), self.viewport().size()
        painter.fillRect(event.rect(), self._theme.palette.window)
        if self._page is None:
            return
        painter.translate(0, -self._top)
        self._page.paint(painter, self._top + event.rect().top(), self._top + event.rect().bottom() + 1)
        self._paint_marked(painter, self._page)
        painter.resetTransform()
        self._page.paint_overview(painter, size.width() - WIDTH, size.height())
        self._idle.start()

    def _draw_ahead(self) -> None:
        """Draw a line that is near to what is seen, while there is nothing else to do."""
        height = self.viewport().height()
        if self._page and self._page.prepare(self._top - height, self._top + 2 * height):
            self._idle.start()

    def _paint_marked(self, painter: QPainter, page: Page) -> None:
        colours = self._theme.palette
        for rect in page.rects_of(self._hovered) if self._hovered is not None else ():
            rounded(painter, rect.adjusted(-1, -1, 1, 1), 4, None, colours.secondary)
        for rect in page.rects_of(self.current) if self.current is not None else ():
            focus_ring(painter, rect.adjusted(-3, -3, 3, 3), 5, colours.accent)

    def _place_card(self) -> None:
        """Show the card of the token below the mouse, or else of the one the keyboard is at, if it is in sight."""
        token = self.current if self._hovered is None else self._hovered
        around = self.place_of(token) if token is not None else QRectF()
        is_seen = self.isVisible() and QRectF(self.viewport().rect()).intersects(around)
        if not self._page or token is None or not is_seen:
            self.card.hide()
            return
        around.translate(self.viewport().mapTo(self.window(), QPointF(0, 0)))
        self.card.show_token(self._page.passage, token, around)

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
        if count := len(self._page.passage.tokens) if self._page else 0:
            start = -1 if direction > 0 else count
            self.moved.emit(min(max((start if self.current is None else self.current) + direction, 0), count - 1))

    def _unmark(self) -> None:
        self.current = None
        self._place_card()
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self._token_at(event.position()))

    def _token_at(self, point: QPointF) -> int | None:
        return self._page.token_at(point + QPointF(0, self._top)) if self._page else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        token = self._token_at(event.position())
        if token is not None:
            self.moved.emit(token)
        elif event.position().x() <= self.viewport().width() - WIDTH:
            self._unmark()
        else:
            bar = self.verticalScrollBar()
            bar.setValue(round(event.position().y() / self.viewport().height() * (bar.maximum() + bar.pageStep())))

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def _hover(self, token: int | None) -> None:
        if token != self._hovered:
            self._hovered = token
            self._place_card()
            self.viewport().update()

    def scrollContentsBy(self, _dx: int, dy: int) -> None:
        was_hovered, self._hovered = self._hovered is not None, None
        self._place_card()
        if was_hovered:
            self.viewport().update()
        else:
            self.viewport().scroll(0, dy, self.viewport().rect().adjusted(0, 0, -WIDTH, 0))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._place_card()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.card.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow_height()
        if self._page and event.oldSize().width() != event.size().width():
            self._later.start()
