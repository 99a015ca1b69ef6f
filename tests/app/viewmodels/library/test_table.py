"""Tests of the models table: cells, filter and order."""

import shutil
from dataclasses import replace
from time import time

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.viewmodels.library.columns import COLUMN_NAMES
from app.viewmodels.library.filter import FACETS, ModelFilter
from app.viewmodels.library.memory_fit import MemoryFit
from app.viewmodels.library.table import ModelTable, TableRole
from mlx_engine.models.memory.machine import mac
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import MODEL, OTHER, Facet
from tests.model_folders import write_model

MACHINE = mac(16 * 2**30, "")
NAME, DISK = COLUMN_NAMES.index("name"), COLUMN_NAMES.index("disk")


@pytest.fixture
def table(facet: Facet, qtbot: QtBot) -> ModelTable:
    """Three intact models, one of them large, and a damaged one."""
    shape = {"model.embed_tokens.weight": ("U32", (4096, 64)), "model.embed_tokens.scales": ("BF16", (4096, 8))}
    shape["model.embed_tokens.biases"] = ("BF16", (4096, 8))
    packed = {"quantization": {"group_size": 64, "bits": 4}}
    write_model(facet.models / "maker/Zeta", shape, **packed)
    make_model(facet.models, "owner/Aaa")
    (facet.models / "owner/Aaa/config.json").unlink()
    facet.ready(qtbot)
    table = ModelTable(facet.library, MACHINE, facet)
    table.tester = QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return table


@pytest.fixture
def models(table: ModelTable) -> ModelFilter:
    models = ModelFilter(table, table)
    models.tester = QAbstractItemModelTester(models, QAbstractItemModelTester.FailureReportingMode.Fatal)
    return models


def names(models: ModelFilter) -> list[str]:
    return [models.index(row, 0).data() for row in range(models.rowCount())]


def cells(models: ModelFilter, name: str) -> dict[str, str]:
    row = names(models).index(name)
    return {column: models.index(row, number).data() for number, column in enumerate(COLUMN_NAMES)}


def test_a_row_describes_the_model(models: ModelFilter) -> None:
    """The bits per weight include the scales."""
    texts = cells(models, "Zeta")
    assert texts["quantization"] == "4-bit g64"
    assert texts["bits"] == "4.50"
    assert texts["context"] == "4k"
    assert texts["last_used"] == ""


def test_the_size_class_is_in_the_tooltip_and_the_accessible_text(models: ModelFilter) -> None:
    """The cell itself has only the number, which leaves space for the name."""
    index = models.index(names(models).index("Beta"), COLUMN_NAMES.index("parameters"))
    assert index.data() == "4.1k"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "4.1k parameters (nano)"
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "4.1k, nano"


def test_a_damaged_model_has_only_a_name_and_a_problem(models: ModelFilter) -> None:
    """The other columns are empty, and the accessible text has the problem."""
    row = names(models).index("Aaa")
    assert set(cells(models, "Aaa").values()) == {"Aaa", ""}
    assert "config.json" in models.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert models.index(row, 3).data(TableRole.VERDICT) == ""


def test_library_changes_change_single_rows(facet: Facet, table: ModelTable, models: ModelFilter, qtbot: QtBot) -> None:
    """The table is not reset."""
    shutil.rmtree(facet.models / MODEL)
    make_model(facet.models, "owner/New")
    with qtbot.assertNotEmitted(models.modelReset):
        facet.ready(qtbot)
    assert names(models) == ["Beta", "New", "Zeta", "Aaa"]


def test_the_last_use_is_shown_as_an_age(table: ModelTable, models: ModelFilter) -> None:
    table.set_last_used({OTHER: time() - 7200})
    assert cells(models, "Beta")["last_used"] == "2 h"


def test_sizes_sort_as_numbers_and_damaged_models_stay_last(models: ModelFilter) -> None:
    """They are last in both orders."""
    models.sort(DISK, Qt.SortOrder.AscendingOrder)
    assert names(models) == ["Alpha", "Beta", "Zeta", "Aaa"]
    models.sort(DISK, Qt.SortOrder.DescendingOrder)
    assert names(models) == ["Zeta", "Beta", "Alpha", "Aaa"]


def test_every_search_word_must_match(models: ModelFilter) -> None:
    """Words match the name, owner, architecture, quantization or license, ignoring case."""
    models.set_text("MAKER 4-bit")
    assert names(models) == ["Zeta"]
    models.set_text("maker bf16")
    assert names(models) == []
    models.set_text("")
    assert len(names(models)) == 4


def test_facets_combine(models: ModelFilter) -> None:
    """A model needs one of the selected values in every facet with a selection."""
    models.select("bits", {"4-bit"})
    assert names(models) == ["Zeta"]
    models.select("bits", {"4-bit", "16-bit"})
    assert names(models) == ["Alpha", "Beta", "Zeta"]
    models.select("class", {"Nano"})
    assert names(models) == ["Alpha", "Beta", "Zeta"]
    models.select("use", {"Damaged"})
    assert names(models) == []
    models.clear()
    assert len(names(models)) == 4


def test_facet_values_have_counts(models: ModelFilter) -> None:
    use = next(facet for facet in FACETS if facet.name == "use")
    assert models.values(use) == {"Can chat": 3, "Damaged": 1}


def test_another_context_updates_the_memory_column(table: ModelTable, models: ModelFilter, qtbot: QtBot) -> None:
    with qtbot.waitSignal(table.dataChanged):
        table.set_context(32768)
    assert table.memory.context == 32768


def test_memory_is_estimated_again_for_a_changed_model(facet: Facet) -> None:
    """The estimate of an unchanged model is cached."""
    memory, model = MemoryFit(MACHINE), facet.library.description(MODEL)
    small = memory.of(model)
    assert memory.of(model) is small
    large = memory.of(replace(model, loaded_bytes=40 * 2**30))
    assert (small.verdict, large.verdict) == ("fits", "too large")


def test_memory_is_estimated_for_at_most_the_context_of_the_model(facet: Facet) -> None:
    memory = MemoryFit(MACHINE)
    memory.context = 131072
    assert memory.of(facet.library.description(MODEL)).estimate.context == 4096


def test_rows_have_no_child_rows(table: ModelTable) -> None:
    first: QModelIndex = table.index(0, 0)
    assert (table.rowCount(first), table.columnCount(first)) == (0, 0)
