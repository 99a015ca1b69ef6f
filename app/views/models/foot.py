"""The line below the table: how many models are shown, what all of them take, and the way to their folders."""

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.library.library import Row, problem_of
from app.viewmodels.library.table import whole
from app.views.kit.buttons import LinkButton
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_count, format_disk


class Foot(QWidget):
    """It is told of all models when they change, and of those shown when the filter does."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.folders = LinkButton(theme, "Folders…", "Folders in which models are looked for")
        self._summary = TextLabel(theme, role="small", tone="secondary")
        self._totals: list[str] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 3, 12, 5)
        row.setSpacing(12)
        row.addWidget(self._summary, 1)
        row.addWidget(self.folders)

    def take(self, rows: Sequence[Row], *, reclaimable_bytes: int, absent: Sequence[str]) -> None:
        """Show a summary of all models.

        `reclaimable_bytes` is the space that duplicates take; `absent` are the names of disconnected folders.
        """
        size_bytes = sum(model.size_bytes for row in rows if (model := whole(row)))
        importable = sum(bool(model and model.can_be_imported) for model in map(whole, rows))
        unusable = sum(bool(problem_of(row)) for row in rows) - importable
        self._totals = [
            f"{format_disk(size_bytes)} on disk" if size_bytes else "",
            f"{importable} to import" if importable else "",
            f"{unusable} cannot be used" if unusable else "",
            f"{format_disk(reclaimable_bytes)} in duplicates" if reclaimable_bytes else "",
            *(f"{name} is not connected" for name in absent),
        ]

    def show_count(self, shown: int, there: int) -> None:
        """Say that so many of those that are there are shown."""
        count = f"{shown:,} of {there:,} models" if shown < there else format_count(there, "model")
        self._summary.setText(" · ".join(filter(None, (count if there else "", *self._totals))))
