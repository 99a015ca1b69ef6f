"""Compares the Models page, with many models, with a QTableWidget that has the same cells as items.

Times end with the paint. Medians over rounds, in one process; the models are real folders with headers. Needs a
display, or Xvfb:

    python -m tests.benchmarks.models_page [MODELS] [ROUNDS]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QTableWidget, QTableWidgetItem, QWidget

from app.assembly.window import Assembly
from app.viewmodels.library.columns import COLUMNS
from app.viewmodels.library.library import Row
from app.viewmodels.library.table import ModelTable
from app.views.kit.theme import Theme
from app.views.models.page import ModelsPage
from app.views.shell.main_window import MainWindow
from mlx_engine.folders import Folders
from tests.model_folders import write_model

_FILTERS = ("number-7", "owner-3 bf16", "no such model", "")


def time_until_painted(act: Callable[[], object]) -> float:
    """Return the seconds until `act` is done and painted."""
    start = time.perf_counter()
    act()
    QApplication.processEvents()
    return time.perf_counter() - start


def fill(table: QTableWidget, model: ModelTable) -> None:
    """Create an item for each cell."""
    table.setSortingEnabled(False)
    table.setRowCount(model.rowCount())
    table.setColumnCount(len(COLUMNS))
    for row in range(model.rowCount()):
        for column in range(len(COLUMNS)):
            table.setItem(row, column, QTableWidgetItem(model.index(row, column).data()))
    table.setSortingEnabled(True)


def filter_rows(table: QTableWidget, rows: list[Row], terms: str) -> None:
    for number, row in enumerate(rows):
        text = f"{row.id} {getattr(row, 'quantization', '')}".casefold()
        table.setRowHidden(number, not all(term in text for term in terms.split()))


def measure_page(assembly: Assembly) -> dict[str, float]:
    """Build and show the page, then filter and sort it."""
    page: list[ModelsPage] = []
    times = {"show": time_until_painted(lambda: page.append(assembly.workbench.show_page("models")))}
    times["filter"] = statistics.median(
        time_until_painted(lambda terms=terms: page[0].bar.search.setText(terms)) for terms in _FILTERS
    )
    header = page[0].table.horizontalHeader()
    times["sort"] = time_until_painted(lambda: page[0].table.sortByColumn(4, header.sortIndicatorOrder()))
    return times


def measure_table_widget(model: ModelTable, parent: QWidget) -> dict[str, float]:
    table = QTableWidget(parent)
    table.setGeometry(parent.rect())

    def show() -> None:
        fill(table, model)
        table.show()

    times = {"show": time_until_painted(show)}
    rows = list(model.library.rows)
    times["filter"] = statistics.median(
        time_until_painted(lambda terms=terms: filter_rows(table, rows, terms)) for terms in _FILTERS
    )
    times["sort"] = time_until_painted(lambda: table.sortItems(4))
    table.deleteLater()
    return times


def measure(folders: Folders, theme: Theme) -> tuple[dict[str, float], dict[str, float]]:
    window = MainWindow(theme, QSettings(str(folders.data / "window.ini"), QSettings.Format.IniFormat))
    window.resize(1280, 800)
    assembly = Assembly(window, theme, folders)
    window.show()
    start = time.perf_counter()
    while not assembly.library.rows:
        QApplication.processEvents()
    ours = {"scan": time.perf_counter() - start, **measure_page(assembly)}
    theirs = measure_table_widget(assembly.findChild(ModelTable), assembly.workbench)
    window.close()
    assembly.close()
    window.deleteLater()
    return ours, theirs


def main() -> int:
    models = int(sys.argv[1]) if sys.argv[1:] else 1000
    rounds = int(sys.argv[2]) if sys.argv[2:] else 5
    qt = QApplication([])
    theme = Theme()
    theme.install(qt)
    with tempfile.TemporaryDirectory() as home:
        folders = Folders(data=Path(home), cache=Path(home) / "cache", logs=Path(home) / "logs")
        for number in range(models):
            # Different sizes, so that no model is compared as a duplicate.
            tensors = {"model.embed_tokens.weight": ("BF16", (64 + number, 64))}
            write_model(folders.models / f"owner-{number % 20}/number-{number}", tensors)
        figures = [measure(folders, theme) for _ in range(rounds)]
    for step in ("scan", "show", "filter", "sort"):
        ours = 1000 * statistics.median(facet[step] for facet, _ in figures)
        theirs = [widget[step] for _, widget in figures if step in widget]
        comparison = f"   QTableWidget {1000 * statistics.median(theirs):7.1f} ms" if theirs else ""
        print(f"{step:8}{models} models: Facet {ours:7.1f} ms{comparison}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
