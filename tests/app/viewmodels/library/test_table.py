"""The table of models: what its cells say, which rows are shown, and in which order."""

import shutil
from dataclasses import replace
from time import time

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.viewmodels.library.columns import NAMES
from app.viewmodels.library.filter import FACETS, ModelFilter
from app.viewmodels.library.memory_fit import MemoryFit
from app.viewmodels.library.table import ModelTable, TableRole
from mlx_engine.models.memory.machine import mac
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import MODEL, OTHER, Facet
from tests.model_folders import write_model

MACHINE = mac(16 * 2**30, "")
NAME, DISK = NAMES.index("name"), NAMES.index("disk")


@pytest.fixture
def table(facet: Facet, qtbot: QtBot) -> ModelTable:
    """Three whole models, one of them large, and one that is damaged."""
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
    return {column: models.index(row, number).data() for number, column in enumerate(NAMES)}


def test_a_row_says_what_the_model_is(models: ModelFilter) -> None:
    """Each figure in its own column; the bits per weight count the scales."""
    said = cells(models, "Zeta")
    assert said["quantization"] == "4-bit g64"
    assert said["bits"] == "4.50"
    assert said["context"] == "4k"
    assert said["last_used"] == ""


def test_a_damaged_model_has_a_name_and_a_sentence(models: ModelFilter) -> None:
    """The other columns are empty, and a screen reader hears what is wrong."""
    row = names(models).index("Aaa")
    assert set(cells(models, "Aaa").values()) == {"Aaa", ""}
    assert "config.json" in models.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert models.index(row, 3).data(TableRole.VERDICT) == ""


def test_the_table_follows_the_library_row_by_row(
    facet: Facet, table: ModelTable, models: ModelFilter, qtbot: QtBot
) -> None:
    """What comes and goes on the disk comes and goes here, without a reset."""
    shutil.rmtree(facet.models / MODEL)
    make_model(facet.models, "owner/New")
    with qtbot.assertNotEmitted(models.modelReset):
        facet.ready(qtbot)
    assert names(models) == ["Beta", "New", "Zeta", "Aaa"]


def test_the_last_use_is_told_by_its_age(table: ModelTable, models: ModelFilter) -> None:
    table.set_last_used({OTHER: time() - 7200})
    assert cells(models, "Beta")["last_used"] == "2 h"


def test_sizes_are_sorted_as_numbers_and_damaged_ones_stay_last(models: ModelFilter) -> None:
    """In both orders: what has no figures is not what one looks for."""
    models.sort(DISK, Qt.SortOrder.AscendingOrder)
    assert names(models) == ["Alpha", "Beta", "Zeta", "Aaa"]
    models.sort(DISK, Qt.SortOrder.DescendingOrder)
    assert names(models) == ["Zeta", "Beta", "Alpha", "Aaa"]


def test_every_word_must_be_found(models: ModelFilter) -> None:
    """In the name, the owner, the kind, the quantization or the license, whatever the case."""
    models.set_text("MAKER 4-bit")
    assert names(models) == ["Zeta"]
    models.set_text("maker bf16")
    assert names(models) == []
    models.set_text("")
    assert len(names(models)) == 4


def test_facets_narrow_the_table_together(models: ModelFilter) -> None:
    """Values of one facet add up, those of different facets must all hold; without values all are shown."""
    models.choose("bits", {"4-bit"})
    assert names(models) == ["Zeta"]
    models.choose("bits", {"4-bit", "16-bit"})
    assert names(models) == ["Alpha", "Beta", "Zeta"]
    models.choose("class", {"Nano"})
    assert names(models) == ["Alpha", "Beta", "Zeta"]
    models.choose("use", {"Damaged"})
    assert names(models) == []
    models.clear()
    assert len(names(models)) == 4


def test_facets_know_their_values_and_how_many_have_each(models: ModelFilter) -> None:
    use = next(facet for facet in FACETS if facet.name == "use")
    assert models.values(use) == {"Can chat": 3, "Damaged": 1}


def test_another_context_needs_another_amount_of_memory(table: ModelTable, models: ModelFilter, qtbot: QtBot) -> None:
    """The column is told to be read again."""
    with qtbot.waitSignal(table.dataChanged):
        table.set_context(32768)
    assert table.memory.context == 32768


def test_memory_is_reckoned_again_for_a_model_that_has_changed(facet: Facet) -> None:
    """The sum of a folder is not that of what was there before; the same model is reckoned once."""
    memory, model = MemoryFit(MACHINE), facet.library.description(MODEL)
    small = memory.of(model)
    assert memory.of(model) is small
    large = memory.of(replace(model, loaded_bytes=40 * 2**30))
    assert (small.verdict, large.verdict) == ("fits", "too large")


def test_a_model_is_reckoned_with_no_more_context_than_it_has(facet: Facet) -> None:
    memory = MemoryFit(MACHINE)
    memory.context = 131072
    assert memory.of(facet.library.description(MODEL)).estimate.context == 4096


def test_a_table_has_no_rows_below_its_rows(table: ModelTable) -> None:
    first: QModelIndex = table.index(0, 0)
    assert (table.rowCount(first), table.columnCount(first)) == (0, 0)
