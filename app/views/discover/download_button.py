"""The button that downloads a repository, and opens a chat once it is downloaded."""

from collections.abc import Mapping

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QWidget

from app.viewmodels.hub.downloads import Downloads, OfferKind
from app.views.kit.controls import FilledButton
from app.views.kit.painting import mixed, rounded
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_percent

_TITLES: Mapping[OfferKind, str] = {
    "download": "Download",
    "underway": "Waiting",
    "resume": "Resume",
    "retry": "Try Again",
    "ready": "Ready",
    "chat": "Chat",
}


class DownloadButton(FilledButton):
    """Shows and runs the next action for `repository`; shows the progress of its download."""

    def __init__(
        self, repository: str, downloads: Downloads, theme: Theme, parent: QWidget | None = None, *, quiet: bool = False
    ) -> None:
        super().__init__(theme, "Download", parent)
        self._repository, self._downloads, self._quiet = repository, downloads, quiet
        self._fraction = 0.0
        self.clicked.connect(lambda: downloads.accept(repository))
        downloads.changed.connect(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        offer = self._downloads.offer(self._repository)
        underway = offer.kind == "underway"
        self._fraction = offer.fraction if underway else 0.0
        title = format_percent(offer.fraction) if underway and offer.fraction else _TITLES[offer.kind]
        self.is_filled = not underway and (offer.kind == "chat" or not self._quiet)
        self.setEnabled(offer.kind not in ("underway", "ready"))
        if title != self.text():
            self.setText(title)
        self.setAccessibleName(f"{title}: {self._repository}")
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that fits every title, so that it never changes."""
        metrics = QFontMetrics(self.theme.font("label"))
        widest = max(metrics.horizontalAdvance(title) for title in _TITLES.values())
        return QSize(widest + 28, super().sizeHint().height())

    def paint_frame(self, painter: QPainter) -> None:
        if self._fraction:
            colors, done = self.theme.palette, QRectF(self.rect())
            done.setWidth(max(done.width() * self._fraction, 18))
            rounded(painter, done, 9, mixed(colors.surface, colors.accent, 0.2))
        super().paint_frame(painter)
