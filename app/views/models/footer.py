"""Line below the models table: counts, sizes, and a link to the model folders."""

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.viewmodels.library.library import Row, problem_of
from app.viewmodels.library.table import intact_model
from app.views.kit.buttons import LinkButton
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_count, format_disk


class LibraryFooter(QWidget):
    """Summary of all models, and the number that match the filter."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.folders = LinkButton(theme, "Folders…", "Folders that Facet searches for models")
        self._summary = TextLabel(theme, role="small", tone="secondary")
        self._totals: list[str] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 3, 12, 5)
        row.setSpacing(12)
        row.addWidget(self._summary, 1)
        row.addWidget(self.folders)

    def show_totals(self, rows: Sequence[Row], *, reclaimable_bytes: int, disconnected: Sequence[str]) -> None:
        """Show a summary of all models.

        `reclaimable_bytes` is the size of the duplicates; `disconnected` are names of missing disks or folders.
        """
        size_bytes = sum(model.size_bytes for row in rows if (model := intact_model(row)))
        importable = sum(bool(model and model.can_be_imported) for model in map(intact_model, rows))
        unusable = sum(bool(problem_of(row)) for row in rows) - importable
        self._totals = [
            f"{format_disk(size_bytes)} on disk" if size_bytes else "",
            f"{importable} to import" if importable else "",
            f"{unusable} unusable" if unusable else "",
            f"{format_disk(reclaimable_bytes)} in duplicates" if reclaimable_bytes else "",
            *(f"{name} is not connected" for name in disconnected),
        ]

    def show_count(self, matches: int, total: int) -> None:
        """Show how many of the models match the filter."""
        count = f"{matches:,} of {total:,} models" if matches < total else format_count(total, "model")
        self._summary.setText(" · ".join(filter(None, (count if total else "", *self._totals))))
