"""A text with each token tinted by its KL divergence, painted by one widget."""

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

from app.viewmodels.tokens.format import describe_token
from app.viewmodels.tokens.passage import Passage
from app.views.kit.painting import focus_ring, rounded
from app.views.kit.theme import Theme
from app.views.tokens.card import TokenCard
from app.views.tokens.overview import WIDTH
from app.views.tokens.page import MARGIN, PageMetrics, PassagePage

_WIDEST = 920
"""Largest width of the text in pixels at 100% text size; longer lines are hard to read."""
_RESIZE_DELAY_MS = 160
"""Delay after the last resize before the text is laid out again."""
_STEPS: Mapping[int, int] = {Qt.Key.Key_J: 1, Qt.Key.Key_N: 1, Qt.Key.Key_K: -1, Qt.Key.Key_P: -1}
_STEPS_WITH_COMMAND: Mapping[int, int] = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}
_MOVES: Mapping[int, int] = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}


class TokenText(QAbstractScrollArea):
    """Shows a passage. `moved` has the new current token, `step_requested` the direction to the next flip, 1 or -1, and
    `swap_requested` asks for the previous candidate.
    """

    moved = Signal(int)
    step_requested = Signal(int)
    copy_requested = Signal()
    swap_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._page: PassagePage | None = None
        self.current: int | None = None
        self._hovered: int | None = None
        self.card = TokenCard(theme, self)
        self._resize_timer = QTimer(self, singleShot=True, interval=_RESIZE_DELAY_MS)
        self._resize_timer.timeout.connect(self._repeat_layout)
        self._draw_timer = QTimer(self, singleShot=True, interval=0)
        self._draw_timer.timeout.connect(self._draw_ahead)
        self.setAccessibleName("Text, tinted by KL divergence")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        # Qt moves the pixels of an opaque widget when it scrolls, instead of painting it again.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        theme.thin_scroll_bars(self)
        theme.changed.connect(self._repeat_layout)

    def show_passage(self, passage: Passage, current: int | None = None) -> None:
        """Show another text from its first scored token, or with `current` visible. The same text keeps its place."""
        is_same = bool(self._page and passage.has_text_of(self._page.passage))
        self.current = self._hovered = None
        if is_same and self._page:
            self._set_page(self._page.with_passage(passage))
        else:
            page = PassagePage(self._theme, passage, self._metrics())
            self._set_page(page)
            self.verticalScrollBar().setValue(page.start)
        if current is not None:
            self.go_to(current)

    def go_to(self, token: int) -> None:
        """Mark this token, show its card, and scroll to it."""
        if not self._page:
            return
        self.current = token
        if rects := self._page.rects_of(token):
            self._scroll_to(rects[0].top(), rects[-1].bottom())
        description = describe_token(self._page.passage, token)
        self.setAccessibleDescription(description)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, description))
        self._place_card()
        self.viewport().update()

    def rect_of(self, token: int) -> QRectF:
        """Return the first rectangle of a token in the viewport, or an empty one."""
        rects = self._page.rects_of(token) if self._page else []
        return rects[0].translated(0, -self._top) if rects else QRectF()

    @property
    def _top(self) -> int:
        """Scroll position: the height of the page at the top of the viewport."""
        return self.verticalScrollBar().value()

    def _scroll_to(self, top: float, bottom: float) -> None:
        """Scroll if needed, with space for the card below."""
        height = self.viewport().height()
        reserve = min(self.card.sizeHint().height() + 12, height / 2)
        if top < self._top or bottom + reserve > self._top + height:
            self.verticalScrollBar().setValue(round(top - height / 3))

    def _metrics(self) -> PageMetrics:
        width = min(self.viewport().width() - 2 * MARGIN - WIDTH, self._theme.scaled(_WIDEST))
        return PageMetrics(width, self.devicePixelRatioF())

    def _set_page(self, page: PassagePage) -> None:
        self._page = page
        self._update_scroll_range()
        self._place_card()
        self.viewport().update()

    def _repeat_layout(self) -> None:
        """Repeat the layout for another width or font, keeping the current token in place."""
        self._resize_timer.stop()
        if not self._page:
            return
        anchor, height = self.current, self.viewport().height()
        if anchor is None:
            anchor = self._page.first_between(self._top, self._top + height)
        before = self.rect_of(anchor).top() if anchor is not None else 0.0
        self._set_page(PassagePage(self._theme, self._page.passage, self._metrics()))
        if anchor is not None:
            self.verticalScrollBar().setValue(round(self._top + self.rect_of(anchor).top() - before))

    def _update_scroll_range(self) -> None:
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
        self._draw_timer.start()

    def _draw_ahead(self) -> None:
        """Draw a line near the visible ones in an idle moment."""
        height = self.viewport().height()
        if self._page and self._page.prepare(self._top - height, self._top + 2 * height):
            self._draw_timer.start()

    def _paint_marked(self, painter: QPainter, page: PassagePage) -> None:
        colors = self._theme.palette
        for rect in page.rects_of(self._hovered) if self._hovered is not None else ():
            rounded(painter, rect.adjusted(-1, -1, 1, 1), 4, None, colors.secondary)
        for rect in page.rects_of(self.current) if self.current is not None else ():
            focus_ring(painter, rect.adjusted(-3, -3, 3, 3), 5, colors.accent)

    def _place_card(self) -> None:
        """Show the card of the token below the mouse, or of the current one, if it is visible."""
        token = self.current if self._hovered is None else self._hovered
        around = self.rect_of(token) if token is not None else QRectF()
        is_visible = self.isVisible() and QRectF(self.viewport().rect()).intersects(around)
        if not self._page or token is None or not is_visible:
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
            self._clear_current()
        else:
            super().keyPressEvent(event)

    @staticmethod
    def _step_of(event: QKeyEvent) -> int:
        """Return 1 for a key that goes to the next flip, -1 for the previous one, 0 for other keys."""
        has_command = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        return (_STEPS_WITH_COMMAND if has_command else _STEPS).get(event.key(), 0)

    def _move(self, direction: int) -> None:
        if count := len(self._page.passage.tokens) if self._page else 0:
            start = -1 if direction > 0 else count
            self.moved.emit(min(max((start if self.current is None else self.current) + direction, 0), count - 1))

    def _clear_current(self) -> None:
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
            self._clear_current()
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
        self._update_scroll_range()
        if self._page and event.oldSize().width() != event.size().width():
            self._resize_timer.start()
