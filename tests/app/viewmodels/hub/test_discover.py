"""Searches and pages, by a real job process, on the test Hub."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import SignalInstance
from pytestqt.qtbot import QtBot

from app.viewmodels.hub.discover import (
    COMPARISON_LIMIT,
    Browsing,
    DiscoverViewModel,
    HubFailure,
    Reading,
    SearchHits,
    Searching,
)
from mlx_engine import network
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import ModelPage, SearchFilters, Variant
from tests.app.hub_window import add_variant
from tests.hub.faults import Hold, Refuse
from tests.hub.fixtures import model_files
from tests.hub.server import Hub

TIMEOUT_MS = 20_000

pytestmark = pytest.mark.process


@pytest.fixture
def discover(hub: Hub, tmp_path: Path, qapp: object) -> Iterator[DiscoverViewModel]:
    model = DiscoverViewModel(tmp_path / "logs")
    yield model
    model.close()


def until_answered(qtbot: QtBot, changed: SignalInstance) -> None:
    with qtbot.waitSignal(changed, timeout=TIMEOUT_MS):
        pass


def variant(number: int) -> Variant:
    return Variant(
        repository=f"owner/model-{number}",
        base_model="owner/model",
        is_mlx=True,
        quantization="4-bit",
        parameters=10**9,
        size_bytes=10**8,
        license="mit",
        gated=False,
        downloads=1,
        likes=1,
        updated="2026-01-01",
    )


def test_nothing_is_asked_before_a_person_asks(hub: Hub, discover: DiscoverViewModel) -> None:
    """The catalogue is there, and the Hub has heard nothing."""
    assert discover.catalog
    assert isinstance(discover.search, Browsing)
    assert hub.requests == []


def test_variants_of_one_model_are_found_together(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """4- and 8-bit conversions stand below the model that they were made from."""
    for bits in (4, 8):
        add_variant(hub, f"converts/Whale-{bits}bit", bits=bits)
    discover.find(SearchFilters(text="whale"))
    assert isinstance(discover.search, Searching)
    until_answered(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    (group,) = discover.search.groups
    assert {one.quantization for one in group.variants} == {"4-bit", "8-bit"}


def test_a_search_does_not_wait_for_a_page_that_hangs(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """Only the last thing that was asked is answered."""
    add_variant(hub, "converts/Whale-4bit")
    hold = Hold(0)
    hub.inject("README.md", hold)
    discover.open("converts/Whale-4bit")
    qtbot.waitUntil(hold.reached.is_set, timeout=TIMEOUT_MS)
    discover.find(SearchFilters(text="whale"))
    until_answered(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    assert len(discover.search.groups) == 1


def test_a_fault_of_the_hub_is_told_and_can_be_repeated(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """The trouble has a title and a sentence, and trying again asks the same."""
    add_variant(hub, "converts/Whale-4bit")
    hub.inject("/api/models", Refuse(403))
    discover.find(SearchFilters(text="whale"))
    until_answered(qtbot, discover.search_changed)
    assert isinstance(discover.search, HubFailure)
    assert discover.search.title
    assert discover.search.message
    discover.retry()
    until_answered(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)


def test_what_is_tried_offline_is_refused_and_counted(
    discover: DiscoverViewModel, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """The person hears why within seconds, and the count has one more."""
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("FACET_OFFLINE", "1")
    logs = Folders.from_environment().logs
    before = network.refused_count(logs)
    discover.find(SearchFilters(text="whale"))
    until_answered(qtbot, discover.search_changed)
    assert isinstance(discover.search, HubFailure)
    assert discover.search.error == "Offline"
    assert network.refused_count(logs) == before + 1


def test_what_cards_claim_is_read_for_a_comparison(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """One page after the other; a model whose card claims nothing has nothing."""
    for name in ("Whale-4bit", "Whale-8bit"):
        repository = add_variant(hub, f"converts/{name}")
        repository.card_data["model-index"] = [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": "text-generation"},
                        "dataset": {"name": "Songs", "type": "songs"},
                        "metrics": [{"type": "acc", "value": 61.5, "name": "accuracy"}],
                    }
                ],
            }
        ]
    add_variant(hub, "converts/Shark-4bit")
    discover.find(SearchFilters())
    until_answered(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    variants = [variant for group in discover.search.groups for variant in group.variants]
    for variant in variants:
        discover.compare(variant, included=True)
    with qtbot.waitSignals([discover.page_read] * 3, timeout=TIMEOUT_MS):
        discover.read_compared()
    claimed = {one.repository: [result.value for result in discover.evaluations(one)] for one in variants}
    assert claimed == {"converts/Whale-4bit": [61.5], "converts/Whale-8bit": [61.5], "converts/Shark-4bit": []}


def test_a_page_tells_whether_its_model_fits_with_its_context(
    hub: Hub, discover: DiscoverViewModel, qtbot: QtBot
) -> None:
    """A search knows the weights alone, and says so; the page has the sum, and the longest context."""
    repository = add_variant(hub, "converts/Whale-4bit")
    widths = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}
    configuration = {"model_type": "llama", "max_position_embeddings": 40960, **widths}
    repository.commit({**model_files(), "config.json": json.dumps(configuration).encode()})
    discover.find(SearchFilters())
    until_answered(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    (found,) = discover.search.groups[0].variants
    before = discover.fit(found)
    discover.open(found.repository)
    until_answered(qtbot, discover.page_changed)
    after = discover.fit(found)
    assert (before.verdict, before.context_length) == ("weights fit", 0)
    assert (after.verdict, after.context_length) == ("fits", 40960)
    assert "context (8,192 tokens)" in after.explanation


def test_a_page_is_read_once(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """Going back and forth asks the Hub no second time."""
    add_variant(hub, "converts/Whale-4bit")
    discover.open("converts/Whale-4bit")
    assert isinstance(discover.page, Reading)
    until_answered(qtbot, discover.page_changed)
    assert isinstance(discover.page, ModelPage)
    asked = len(hub.requests)
    discover.close_page()
    discover.open("converts/Whale-4bit")
    assert isinstance(discover.page, ModelPage)
    assert len(hub.requests) == asked


def test_a_comparison_has_an_end(discover: DiscoverViewModel) -> None:
    """More than a table can show is not taken in, and nothing twice."""
    for number in range(COMPARISON_LIMIT + 2):
        discover.compare(variant(number), included=True)
    discover.compare(variant(0), included=True)
    assert sorted(one.repository for one in discover.compared) == [f"owner/model-{n}" for n in range(COMPARISON_LIMIT)]
    discover.compare(variant(0), included=False)
    assert not discover.is_compared(variant(0))
