"""The table of a study: sorting, cells and copies."""

import csv
import io
import math
from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from app.viewmodels.lab.lines import CurrentStep, study_lines
from app.viewmodels.lab.table import COLUMN_BY_KEY, SortedStudyTable, StudyTableModel
from app.viewmodels.lab.table_copy import as_csv, as_markdown
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import FIGURES
from mlx_engine.measure.figures.format import columns
from mlx_engine.measure.figures.sample import samples
from mlx_engine.measure.study.study import StepFailure
from tests.mlx_engine.measure.charts.studies import FEW, fidelity, study

COLUMNS = columns(samples(study(FEW)))


@pytest.fixture
def table(qapp: object) -> StudyTableModel:
    table = StudyTableModel()
    table.tester = QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    table.show_lines(study_lines(study(FEW)))
    return table


@pytest.fixture
def order(table: StudyTableModel) -> SortedStudyTable:
    order = SortedStudyTable(table)
    order.tester = QAbstractItemModelTester(order, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return order


@pytest.mark.parametrize("way", [Qt.SortOrder.AscendingOrder, Qt.SortOrder.DescendingOrder])
def test_the_original_comes_first_and_lines_without_a_value_last(
    table: StudyTableModel, order: SortedStudyTable, way: Qt.SortOrder
) -> None:
    """In both orders; NaN counts as no value."""
    rows = list(study((*FEW, ("broken", 4.0, math.nan, 0.5, 50.0))).rows)
    rows[1] = msgspec.structs.replace(rows[1], fidelity=(), failures=(StepFailure("fidelity", "Gone", "Look."),))
    table.show_lines(study_lines(msgspec.structs.replace(study(FEW), rows=tuple(rows))))
    order.sort(COLUMN_BY_KEY["mean_kl"], way)
    names = [line.name for line in order.sorted_lines()]
    measured = ["4-bit", "2-bit"]
    assert names[:3] == ["original", *(measured if way == Qt.SortOrder.AscendingOrder else measured[::-1])]
    assert set(names[3:]) == {"8-bit", "broken"}


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)
def test_every_column_sorts_by_its_figure(order: SortedStudyTable, figure: Figure) -> None:
    """Not by its text: 88 is less than 260."""
    order.sort(COLUMN_BY_KEY[figure.key])
    values = [estimate.value for line in order.sorted_lines()[1:] if (estimate := figure.measured(line.sample))]
    assert len(values) == len(FEW)
    assert values == sorted(values)


def test_the_first_column_sorts_by_name(order: SortedStudyTable) -> None:
    order.sort(0)
    assert [line.name for line in order.sorted_lines()[1:]] == ["2-bit", "4-bit", "8-bit"]


@pytest.mark.parametrize(("parameters", "heading", "cell"), [(134.5e6, "Size (MB)", "143"), (8e9, "Size (GB)", "8.50")])
def test_the_heading_has_the_unit_that_suits_the_models(
    table: StudyTableModel, parameters: float, heading: str, cell: str
) -> None:
    """Cells have only numbers, which are easy to compare."""
    table.show_lines(study_lines(study(FEW, parameters=parameters)))
    assert table.headerData(COLUMN_BY_KEY["size_bytes"], Qt.Orientation.Horizontal) == heading
    assert table.index(1, COLUMN_BY_KEY["size_bytes"]).data() == cell


def test_a_failure_is_in_the_line_of_its_precision(table: StudyTableModel) -> None:
    """Failures of the whole model are in its first line. Other results stay."""
    base = study(FEW)
    rows = list(base.rows)
    slow = StepFailure("speed", "It ended", "Close other programs.")
    other = StepFailure("fidelity", "Not enough memory", "Choose a shorter text.", 4)
    rows[1] = msgspec.structs.replace(rows[1], speed=None, failures=(slow, other))
    plan = msgspec.structs.replace(base.plan, cache_bits=(16, 8, 4))
    full, eight, four = study_lines(msgspec.structs.replace(base, rows=tuple(rows), plan=plan))[3:6]
    assert full.note.startswith("About 2 of 100")
    assert full.failure == "Speed was not measured: It ended. Close other programs."
    assert (eight.note, eight.failure) == ("Waiting to measure", "")
    assert (four.note, four.failure) == ("Not measured", "Not enough memory. Choose a shorter text.")


def test_losses_against_a_stand_in_are_lower_bounds() -> None:
    """Its perplexity is not the original's."""
    base = study(FEW)
    rows = [
        msgspec.structs.replace(
            row, fidelity=tuple(msgspec.structs.replace(result, is_stand_in=True) for result in row.fidelity)
        )
        for row in base.rows
    ]
    rows[1] = msgspec.structs.replace(rows[1], is_stand_in=True, fidelity=())
    original, stand_in, other, _ = study_lines(msgspec.structs.replace(base, rows=tuple(rows)))
    assert (original.sample.reference, stand_in.sample.reference) == (None, other.sample.fidelity)
    assert stand_in.note.startswith("Replaces the original")
    assert other.note.endswith("possibly more, because an 8-bit copy replaced the original")


def test_the_original_has_its_perplexity(table: StudyTableModel) -> None:
    assert table.index(0, COLUMN_BY_KEY["perplexity"]).data() == "14.00 ± 0.40"


def test_preliminary_results_change_one_row(table: StudyTableModel) -> None:
    """Selection and scroll position stay."""
    changed: list[int] = []
    table.dataChanged.connect(lambda first, last: changed.extend((first.row(), last.row())))
    base = study(FEW)
    label = base.candidates[1].label
    table.show_lines(study_lines(base, CurrentStep(label, "Comparing with the original", so_far=fidelity(0.5, 0.3))))
    assert changed == [2, 2]


def test_removing_a_row_keeps_the_others(table: StudyTableModel) -> None:
    """Without a reset, which would lose the selection."""
    resets, removed = [], []
    table.modelReset.connect(lambda: resets.append(1))
    table.rowsRemoved.connect(lambda _, first, last: removed.append((first, last)))
    table.show_lines([line for line in table.lines if line.name != "4-bit"])
    assert (resets, removed) == ([], [(2, 2)])


def test_a_screen_reader_announces_the_best_model(table: StudyTableModel) -> None:
    table.show_lines(study_lines(study(FEW), best=study(FEW).candidates[0].label))
    spoken = table.index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "8-bit, best within limits, About 2 of 100 next words differ from the original; very close"


def test_markdown_has_the_figures_of_the_window() -> None:
    """With full names, since the heading of the study is not copied."""
    head, rule, _, second, *_ = as_markdown(study_lines(study(FEW)), COLUMNS).splitlines()
    assert head.startswith("| Model | Size (MB) | Bits per weight | Mean KL (nats) |")
    assert rule.startswith("| --- | ---: |")
    assert second.startswith("| SmolLM2-135M-Instruct-8-bit | 143 | 8.50 | 0.0011")
    assert second.endswith("very close |")


def test_csv_is_unrounded() -> None:
    """Sizes in bytes and all digits, with the line ends of RFC 4180."""
    assert as_csv(study_lines(study(FEW)), COLUMNS).count("\r\n") == 1 + 4
    records = list(csv.DictReader(io.StringIO(as_csv(study_lines(study(FEW)), COLUMNS))))
    assert records[2]["size_bytes"] == "75656250"
    assert float(records[2]["mean_kl"]) == 0.041
    assert float(records[2]["mean_kl_se"]) == 0.041 / 20
    assert records[0]["mean_kl"] == ""


def test_a_hostile_name_stays_a_name() -> None:
    """Neither a spreadsheet nor a web page interprets it."""
    first = study_lines(study(FEW))[0]
    rows = (msgspec.structs.replace(first.row, label=f"{owner}=1+1|<b>\nmore") for owner in ("", "o/"))
    bare, owned = ([replace(first, sample=replace(first.sample, row=row))] for row in rows)
    assert next(csv.DictReader(io.StringIO(as_csv(bare, COLUMNS))))["model"] == "'=1+1|<b> more"
    failed = [replace(first, note="", failure="-1 is not a size")]
    assert next(csv.DictReader(io.StringIO(as_csv(failed, COLUMNS))))["verdict"] == "'-1 is not a size"
    assert as_markdown(owned, COLUMNS).splitlines()[2].startswith(r"| =1+1\|\<b\> more |")
