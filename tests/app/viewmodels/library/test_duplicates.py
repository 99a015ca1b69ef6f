"""Tests of duplicate models."""

import shutil

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.library.duplicates import DuplicateModels
from app.viewmodels.library.inspection import duplicate_facts
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet


@pytest.fixture
def duplicates(facet: Facet, qtbot: QtBot) -> DuplicateModels:
    """Alpha under two names; Beta has the same shapes but other weights."""
    weights = facet.models / OTHER / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-4000] + b"\1" * 4000)
    shutil.copytree(facet.models / MODEL, facet.models / "copies/Again")
    facet.ready(qtbot)
    duplicates = DuplicateModels(facet.library, facet)
    qtbot.waitSignal(duplicates.changed, timeout=TIMEOUT_MS).wait()
    return duplicates


def test_the_same_weights_are_duplicates_under_any_name(facet: Facet, duplicates: DuplicateModels) -> None:
    """The space of one of them can be reclaimed; equal shapes alone are not duplicates."""
    assert {model.id for model in duplicates.of(MODEL).models} == {MODEL, "copies/Again"}
    assert duplicates.of(OTHER) is None
    assert duplicates.reclaimable_bytes == (facet.models / MODEL / "model.safetensors").stat().st_size
    facts = duplicate_facts(facet.library.description(MODEL), duplicates.of(MODEL))
    assert facts == [("Also in", str(facet.models / "copies" / "Again")), ("In duplicates", "8 KB")]


def test_a_deleted_model_is_not_a_duplicate(facet: Facet, duplicates: DuplicateModels, qtbot: QtBot) -> None:
    shutil.rmtree(facet.models / "copies")
    with qtbot.waitSignal(duplicates.changed, timeout=TIMEOUT_MS):
        facet.library.refresh()
    assert duplicates.of(MODEL) is None
    assert duplicates.reclaimable_bytes == 0
