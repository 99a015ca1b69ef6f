"""Tests of searches and pages, by a real job process on the test Hub."""

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


def wait_for(qtbot: QtBot, changed: SignalInstance) -> None:
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


def test_the_hub_is_not_contacted_before_a_request(hub: Hub, discover: DiscoverViewModel) -> None:
    """The catalog is available without it."""
    assert discover.catalog
    assert isinstance(discover.search, Browsing)
    assert hub.requests == []


def test_variants_of_a_model_are_grouped(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """Its 4-bit and 8-bit conversions are in one group."""
    for bits in (4, 8):
        add_variant(hub, f"converts/Whale-{bits}bit", bits=bits)
    discover.find(SearchFilters(text="whale"))
    assert isinstance(discover.search, Searching)
    wait_for(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    (group,) = discover.search.groups
    assert {variant.quantization for variant in group.variants} == {"4-bit", "8-bit"}


def test_a_search_does_not_wait_for_a_page_that_hangs(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """Only the last request is answered."""
    add_variant(hub, "converts/Whale-4bit")
    hold = Hold(0)
    hub.inject("README.md", hold)
    discover.open("converts/Whale-4bit")
    qtbot.waitUntil(hold.reached.is_set, timeout=TIMEOUT_MS)
    discover.find(SearchFilters(text="whale"))
    wait_for(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    assert len(discover.search.groups) == 1


def test_a_failed_search_can_be_retried(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """The failure has a title and a message, and a retry repeats the search."""
    add_variant(hub, "converts/Whale-4bit")
    hub.inject("/api/models", Refuse(403))
    discover.find(SearchFilters(text="whale"))
    wait_for(qtbot, discover.search_changed)
    assert isinstance(discover.search, HubFailure)
    assert discover.search.title
    assert discover.search.message
    discover.retry()
    wait_for(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)


def test_a_search_fails_offline_and_is_counted(
    discover: DiscoverViewModel, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    """The blocked connection increases the count by one."""
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("FACET_OFFLINE", "1")
    logs = Folders.from_environment().logs
    before = network.refused_count(logs)
    discover.find(SearchFilters(text="whale"))
    wait_for(qtbot, discover.search_changed)
    assert isinstance(discover.search, HubFailure)
    assert discover.search.error == "Offline"
    assert network.refused_count(logs) == before + 1


def test_evaluations_are_read_for_a_comparison(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """Pages are read one after the other. A model whose card states none has none."""
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
    wait_for(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    variants = [variant for group in discover.search.groups for variant in group.variants]
    for variant in variants:
        discover.compare(variant, included=True)
    with qtbot.waitSignals([discover.page_read] * 3, timeout=TIMEOUT_MS):
        discover.read_compared()
    values = {
        variant.repository: [evaluation.value for evaluation in discover.evaluations(variant)] for variant in variants
    }
    assert values == {"converts/Whale-4bit": [61.5], "converts/Whale-8bit": [61.5], "converts/Shark-4bit": []}


def test_the_fit_on_a_page_includes_the_context(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """A search result only has the weights. The page has all of the memory, and the longest context."""
    repository = add_variant(hub, "converts/Whale-4bit")
    widths = {"hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8}
    configuration = {"model_type": "llama", "max_position_embeddings": 40960, **widths}
    repository.commit({**model_files(), "config.json": json.dumps(configuration).encode()})
    discover.find(SearchFilters())
    wait_for(qtbot, discover.search_changed)
    assert isinstance(discover.search, SearchHits)
    (whale,) = discover.search.groups[0].variants
    before = discover.fit(whale)
    discover.open(whale.repository)
    wait_for(qtbot, discover.page_changed)
    after = discover.fit(whale)
    assert (before.verdict, before.context_length) == ("weights fit", 0)
    assert (after.verdict, after.context_length) == ("fits", 40960)
    assert "context (8,192 tokens)" in after.explanation


def test_a_page_is_read_once(hub: Hub, discover: DiscoverViewModel, qtbot: QtBot) -> None:
    """Opening it again does not contact the Hub."""
    add_variant(hub, "converts/Whale-4bit")
    discover.open("converts/Whale-4bit")
    assert isinstance(discover.page, Reading)
    wait_for(qtbot, discover.page_changed)
    assert isinstance(discover.page, ModelPage)
    requests = len(hub.requests)
    discover.close_page()
    discover.open("converts/Whale-4bit")
    assert isinstance(discover.page, ModelPage)
    assert len(hub.requests) == requests


def test_a_comparison_has_a_limit(discover: DiscoverViewModel) -> None:
    """Further variants are ignored, and so are duplicates."""
    for number in range(COMPARISON_LIMIT + 2):
        discover.compare(variant(number), included=True)
    discover.compare(variant(0), included=True)
    assert sorted(compared.repository for compared in discover.compared) == [
        f"owner/model-{n}" for n in range(COMPARISON_LIMIT)
    ]
    discover.compare(variant(0), included=False)
    assert not discover.is_compared(variant(0))
