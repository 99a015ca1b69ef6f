"""How long the page of models takes with many of them, beside a QTableWidget that holds the same cells as items.

Shown means painted. Medians over rounds, in one process; the models are folders of headers that are really scanned. Run
it where there is a display, or under Xvfb:

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

_WORDS = ("number-7", "owner-3 bf16", "nothing like it", "")


def took(act: Callable[[], object]) -> float:
    """Return the seconds until `act` is done and painted."""
    start = time.perf_counter()
    act()
    QApplication.processEvents()
    return time.perf_counter() - start


def fill(table: QTableWidget, model: ModelTable) -> None:
    """Do what a plain table asks for: an item a cell, made beforehand."""
    table.setSortingEnabled(False)
    table.setRowCount(model.rowCount())
    table.setColumnCount(len(COLUMNS))
    for row in range(model.rowCount()):
        for column in range(len(COLUMNS)):
            table.setItem(row, column, QTableWidgetItem(model.index(row, column).data()))
    table.setSortingEnabled(True)


def hide_others(table: QTableWidget, rows: list[Row], words: str) -> None:
    for number, row in enumerate(rows):
        text = f"{row.id} {getattr(row, 'quantization', '')}".casefold()
        table.setRowHidden(number, not all(word in text for word in words.split()))


def facet(assembly: Assembly) -> dict[str, float]:
    """Build and show the page, then filter and sort it."""
    page: list[ModelsPage] = []
    times = {"show": took(lambda: page.append(assembly.workbench.show_page("models")))}
    times["filter"] = statistics.median(took(lambda words=words: page[0].bar.search.setText(words)) for words in _WORDS)
    times["sort"] = took(lambda: page[0].table.sortByColumn(4, page[0].table.horizontalHeader().sortIndicatorOrder()))
    return times


def peer(model: ModelTable, parent: QWidget) -> dict[str, float]:
    table = QTableWidget(parent)
    table.setGeometry(parent.rect())

    def show() -> None:
        fill(table, model)
        table.show()

    times = {"show": took(show)}
    rows = list(model.library.rows)
    times["filter"] = statistics.median(took(lambda words=words: hide_others(table, rows, words)) for words in _WORDS)
    times["sort"] = took(lambda: table.sortItems(4))
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
    ours = {"scan": time.perf_counter() - start, **facet(assembly)}
    theirs = peer(assembly.findChild(ModelTable), assembly.workbench)
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
            # Each of another size, so that none is taken for a copy.
            tensors = {"model.embed_tokens.weight": ("BF16", (64 + number, 64))}
            write_model(folders.models / f"owner-{number % 20}/number-{number}", tensors)
        figures = [measure(folders, theme) for _ in range(rounds)]
    for what in ("scan", "show", "filter", "sort"):
        ours = 1000 * statistics.median(mine[what] for mine, _ in figures)
        beside = [its[what] for _, its in figures if what in its]
        peer_words = f"   QTableWidget {1000 * statistics.median(beside):7.1f} ms" if beside else ""
        print(f"{what:8}{models} models: Facet {ours:7.1f} ms{peer_words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
