"""The results of a search: base models with their variants."""

from collections.abc import Iterable

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.formatting import hub as hub_format
from app.viewmodels.hub.discover import DiscoverViewModel
from app.viewmodels.hub.downloads import Downloads
from app.views.discover.download_button import DownloadButton
from app.views.kit.controls import Badge, CheckBox, SmallButton
from app.views.kit.fit_badge import FitBadge
from app.views.kit.grid import VerticalScrollArea
from app.views.kit.painting import rounded
from app.views.kit.plain_text import plain
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_count, format_disk, format_short_count
from mlx_engine.hub_messages import ModelGroup, Variant


class VariantRow(QWidget):
    """A repository with its format, its size and its fit, which includes the context once its page has been read."""

    opened = Signal(str)  # the repository

    def __init__(self, variant: Variant, discover: DiscoverViewModel, downloads: Downloads, theme: Theme) -> None:
        super().__init__()
        self._variant, self._discover = variant, discover
        self._check_box = CheckBox(theme, f"Compare {variant.repository}")
        self._check_box.setChecked(discover.is_compared(variant))
        self._check_box.toggled.connect(lambda on: discover.compare(variant, included=on))
        discover.compared_changed.connect(self._refresh_check_box)
        discover.page_read.connect(self._refresh_fit)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 4, 0, 4)
        row.setSpacing(10)
        row.addWidget(self._check_box)
        row.addLayout(self._text(theme), 1)
        self._badge = FitBadge(theme)
        row.addWidget(self._badge)
        details = SmallButton(theme, "Details", f"Details: {variant.repository}")
        details.clicked.connect(lambda: self.opened.emit(variant.repository))
        row.addWidget(details)
        row.addWidget(DownloadButton(variant.repository, downloads, theme, quiet=True))
        self._refresh_fit(variant.repository)

    def _text(self, theme: Theme) -> QVBoxLayout:
        variant = self._variant
        column = QVBoxLayout()
        column.setSpacing(1)
        column.addWidget(TextLabel(theme, variant.repository))
        facts = [
            variant.quantization,
            format_disk(variant.size_bytes) if variant.size_bytes else "size unknown",
            f"{format_short_count(variant.downloads)} downloads",
            f"{format_short_count(variant.likes)} likes",
            "gated" if variant.gated else "",
            "" if variant.is_mlx else "not MLX",
        ]
        column.addWidget(TextLabel(theme, " · ".join(filter(None, facts)), role="small", tone="secondary"))
        return column

    def _refresh_check_box(self) -> None:
        self._check_box.setChecked(self._discover.is_compared(self._variant))

    def _refresh_fit(self, repository: str) -> None:
        if repository == self._variant.repository:
            fits = self._discover.fit(self._variant)
            self._badge.show_fit(fits.verdict, fits.explanation)


class _Group(QWidget):
    """A frame with a base model and its variants."""

    def __init__(self, group: ModelGroup, rows: Iterable[VariantRow], theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        first = group.variants[0]
        owner, _, name = group.base_model.rpartition("/")
        heading = QHBoxLayout()
        heading.setSpacing(8)
        title = TextLabel(theme, name, role="heading")
        title.setToolTip(plain(group.base_model))
        heading.addWidget(title, 1)
        heading.addWidget(Badge(theme, hub_format.format_parameters(first.parameters)))
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 10)
        column.setSpacing(2)
        column.addLayout(heading)
        facts = " · ".join(filter(None, (owner, hub_format.format_license(first.license))))
        column.addWidget(TextLabel(theme, facts, role="small", tone="secondary"))
        column.addSpacing(4)
        for row in rows:
            column.addWidget(row)
        theme.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        colors = self._theme.palette
        rounded(QPainter(self), QRectF(self.rect()), 12, colors.surface, colors.border)


class Results(VerticalScrollArea):
    """The list of groups."""

    opened = Signal(str)  # a repository

    def __init__(
        self, discover: DiscoverViewModel, downloads: Downloads, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, "Search results", parent)
        self._discover, self._downloads, self._theme = discover, downloads, theme
        self._count = TextLabel(theme, role="small", tone="secondary")
        self.column.setSpacing(12)
        self.column.addWidget(self._count)
        self.column.addStretch(1)
        self._groups: list[_Group] = []

    def show_groups(self, groups: tuple[ModelGroup, ...]) -> None:
        """Replace the groups, and scroll to the top."""
        for group_widget in self._groups:
            group_widget.hide()
            group_widget.deleteLater()
        variants = sum(len(group.variants) for group in groups)
        self._count.setText(f"{format_count(len(groups), 'model')} in {format_count(variants, 'variant')}")
        self._groups = [_Group(group, self._rows(group), self._theme) for group in groups]
        for index, group_widget in enumerate(self._groups, 1):
            self.column.insertWidget(index, group_widget)
        self.verticalScrollBar().setValue(0)

    def _rows(self, group: ModelGroup) -> list[VariantRow]:
        rows = [VariantRow(variant, self._discover, self._downloads, self._theme) for variant in group.variants]
        for row in rows:
            row.opened.connect(self.opened)
        return rows
