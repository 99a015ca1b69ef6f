"""The table of a study: its order, its cells, and what is copied of it."""

import csv
import io
from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.viewmodels.lab_columns import BY_NAME, COLUMNS
from app.viewmodels.lab_copy import as_csv, as_markdown
from app.viewmodels.lab_lines import Present, lines
from app.viewmodels.lab_table import LabOrder, LabTable
from tests.mlx_engine.measure.charts.studies import FEW, fidelity, study


@pytest.fixture
def table(qapp: object) -> LabTable:
    table = LabTable()
    table.tester = QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    table.show_lines(lines(study(FEW)))
    return table


@pytest.fixture
def order(table: LabTable) -> LabOrder:
    order = LabOrder(table)
    order.tester = QAbstractItemModelTester(order, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return order


@pytest.mark.parametrize("way", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
def test_what_has_no_figure_stands_last(order: LabOrder, way: Qt.SortOrder) -> None:
    """The original has no divergence from itself, whichever way it is sorted."""
    order.sort(BY_NAME["mean_kl"], way)
    names = [line.name for line in order.shown()]
    measured = ["8-bit", "4-bit", "2-bit"]
    assert names == [*(measured if way == Qt.SortOrder.AscendingOrder else measured[::-1]), "original"]


@pytest.mark.parametrize("column", range(len(COLUMNS)))
def test_every_column_sorts_by_its_figure(order: LabOrder, column: int) -> None:
    """Not by its text: 88 is less than 260."""
    order.sort(column)
    keys = [key for line in order.shown() if (key := COLUMNS[column].key(line)) is not None]
    assert keys == sorted(keys)


def test_the_perplexity_of_the_original_comes_with_the_others(table: LabTable) -> None:
    assert table.index(0, BY_NAME["perplexity"]).data() == "14.00 ± 0.40"


def test_a_running_figure_changes_one_row(table: LabTable) -> None:
    """The selection and the place in the list stay."""
    changed: list[int] = []
    table.dataChanged.connect(lambda first, last: changed.extend((first.row(), last.row())))
    found = study(FEW)
    label = found.candidates[1].label
    table.show_lines(lines(found, Present(label, "Held against the original", so_far=fidelity(0.5, 0.3))))
    assert changed == [2, 2]


def test_a_screen_reader_hears_what_is_shown_by_colour(table: LabTable) -> None:
    table.show_lines(lines(study(FEW), winner=study(FEW).candidates[0].label))
    spoken = table.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "8-bit, the winner, About 2 of 100 next words differ from the original; very close"


def test_markdown_has_the_figures_of_the_window() -> None:
    """With the whole name, since the heading above the table is not copied."""
    head, rule, _, second, *_ = as_markdown(lines(study(FEW)), COLUMNS).splitlines()
    assert head.startswith("| Model | Size | Bits/weight | Mean KL |")
    assert rule.startswith("| --- | ---: |")
    assert second.startswith("| SmolLM2-135M-Instruct-8-bit | 143 MB | 8.50 | 0.0011")
    assert second.endswith("very close |")


def test_csv_has_whole_numbers() -> None:
    """Programs read bytes, and every digit."""
    records = list(csv.DictReader(io.StringIO(as_csv(lines(study(FEW)), COLUMNS))))
    assert records[2]["size"] == "75656250"
    assert float(records[2]["mean_kl"]) == 0.041
    assert records[0]["mean_kl"] == ""


def test_a_wild_name_stays_a_name() -> None:
    """Neither a spreadsheet nor a page takes the name of a model for anything else."""
    first = lines(study(FEW))[0]
    wild = [replace(first, row=msgspec.structs.replace(first.row, label="owner/=1+1|<b>\nmore"))]
    assert next(csv.DictReader(io.StringIO(as_csv(wild, COLUMNS))))["name"] == "'=1+1|<b> more"
    assert as_markdown(wild, COLUMNS).splitlines()[2].startswith(r"| =1+1\|\<b\> more |")
