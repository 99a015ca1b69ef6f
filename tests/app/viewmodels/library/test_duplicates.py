"""Models that are there more than once."""

import shutil

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.library.duplicates import DuplicateModels
from app.viewmodels.library.inspection import copies
from tests.app.viewmodels.facet import MODEL, OTHER, TIMEOUT_MS, Facet


@pytest.fixture
def duplicates(facet: Facet, qtbot: QtBot) -> DuplicateModels:
    """Alpha twice under two names; Beta is of the same shape with other weights."""
    weights = facet.models / OTHER / "model.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-4000] + b"\1" * 4000)
    shutil.copytree(facet.models / MODEL, facet.models / "copies/Again")
    facet.ready(qtbot)
    duplicates = DuplicateModels(facet.library, facet)
    qtbot.waitSignal(duplicates.changed, timeout=TIMEOUT_MS).wait()
    return duplicates


def test_the_same_weights_are_found_whatever_their_name(facet: Facet, duplicates: DuplicateModels) -> None:
    """Each of them knows the other, and what one of them takes can be gained; equal shapes alone do not count."""
    assert {model.id for model in duplicates.of(MODEL).models} == {MODEL, "copies/Again"}
    assert duplicates.of(OTHER) is None
    assert duplicates.reclaimable_bytes == (facet.models / MODEL / "model.safetensors").stat().st_size
    said = copies(facet.library.description(MODEL), duplicates.of(MODEL))
    assert said == [("Also in", str(facet.models / "copies" / "Again")), ("To gain", "8 KB")]


def test_one_that_is_deleted_is_no_duplicate_any_more(facet: Facet, duplicates: DuplicateModels, qtbot: QtBot) -> None:
    shutil.rmtree(facet.models / "copies")
    with qtbot.waitSignal(duplicates.changed, timeout=TIMEOUT_MS):
        facet.library.refresh()
    assert duplicates.of(MODEL) is None
    assert duplicates.reclaimable_bytes == 0
