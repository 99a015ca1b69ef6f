"""Tests of the Discover page with the test Hub."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from app.views.discover.catalog_card import CatalogCard
from app.views.discover.page import DiscoverPage
from app.views.discover.results import VariantRow
from app.views.discover.sign_in import SignInDialog
from app.views.kit.chips import ChoiceChip
from app.views.kit.controls import Badge
from app.views.kit.job_row import JobRow
from app.views.kit.theme import Theme
from mlx_engine import network
from tests.app.hub_window import HubWindow, add_variant
from tests.hub.faults import Refuse
from tests.hub.fixtures import model_files
from tests.hub.server import Hub

TIMEOUT_MS = 20_000
CONFIGURATION = {
    "model_type": "llama",
    "max_position_embeddings": 40960,
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
}

pytestmark = pytest.mark.process


@pytest.fixture
def run(hub: Hub, tmp_path: Path, theme: Theme) -> Iterator[HubWindow]:
    window = HubWindow(tmp_path, theme)
    yield window
    window.close()


@pytest.fixture
def page(run: HubWindow, qtbot: QtBot) -> DiscoverPage:
    page = run.hub.page()
    qtbot.addWidget(page)
    page.resize(900, 700)
    page.show()
    return page


def text_of(page: DiscoverPage) -> str:
    """Return all visible text of the page."""
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def badges(page: DiscoverPage) -> list[str]:
    """The verdicts of the rows, from top to bottom."""
    names = (badge.accessibleName() for row in page.findChildren(VariantRow) for badge in row.findChildren(Badge))
    return list(names)


def button(page: DiscoverPage, name: str) -> QAbstractButton:
    buttons = page.findChildren(QAbstractButton)
    return next(item for item in buttons if item.isVisible() and name in (item.accessibleName(), item.text()))


def search(page: DiscoverPage, text: str, qtbot: QtBot) -> None:
    page.search_bar.field.setText(text)
    qtbot.keyClick(page.search_bar.field, Qt.Key.Key_Return)


def test_the_catalog_is_shown_without_contacting_the_hub(hub: Hub, page: DiscoverPage, run: HubWindow) -> None:
    """Opening the page sends no request."""
    assert len(page.findChildren(CatalogCard)) == len(run.discover.catalog)
    assert "Best pick" in text_of(page)
    assert hub.requests == []


def test_results_can_be_compared_and_closed(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """The path leads from the search to the results, the comparison and back to the catalog."""
    for bits in (4, 8):
        add_variant(hub, f"converts/Whale-{bits}bit", bits=bits)
    search(page, "whale", qtbot)
    assert "Searching the Hub…" in text_of(page)
    qtbot.waitUntil(lambda: "1 model in 2 variants" in text_of(page), timeout=TIMEOUT_MS)
    for bits in (4, 8):
        button(page, f"Compare converts/Whale-{bits}bit").click()
    button(page, "Compare").click()
    assert "Quantization" in text_of(page)
    assert "8-bit" in text_of(page)
    button(page, "Back to the results").click()
    assert "1 model in 2 variants" in text_of(page)
    button(page, "Back to the catalog").click()
    assert "Best pick" in text_of(page)


def test_the_page_of_a_model_shows_its_card_and_files(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """The Back button leads to the results."""
    add_variant(hub, "converts/Whale-4bit")
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "1 model" in text_of(page), timeout=TIMEOUT_MS)
    button(page, "Details: converts/Whale-4bit").click()
    qtbot.waitUntil(lambda: "model.safetensors" in text_of(page), timeout=TIMEOUT_MS)
    for fact in ("Apache 2.0", "maker/Whale", "The weights need"):
        assert fact in text_of(page)
    button(page, "Back").click()
    assert "1 model" in text_of(page)


def test_a_failed_search_can_be_retried(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """The page shows the error with a button to try again."""
    add_variant(hub, "converts/Whale-4bit")
    hub.inject("/api/models", Refuse(403))
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "Hugging Face Hub error" in text_of(page), timeout=TIMEOUT_MS)
    # A button that was just added to a layout becomes visible in the next iteration of the event loop.
    retry = next(item for item in page.findChildren(QAbstractButton) if item.text() == "Try Again")
    qtbot.waitUntil(retry.isVisible, timeout=TIMEOUT_MS)
    retry.click()
    qtbot.waitUntil(lambda: "1 model" in text_of(page), timeout=TIMEOUT_MS)


def test_filters_are_sent_with_the_search(page: DiscoverPage) -> None:
    """Each chip sets its filter."""
    chips = {chip.accessibleName().partition(":")[0]: chip for chip in page.findChildren(ChoiceChip)}
    chips["Size"].choose("Small, 1.5B to 13.9B")
    chips["License"].choose("MIT")
    chips["Access"].choose("Not gated")
    chips["Order"].choose("Recent")
    button(page, "Fits this Mac").click()
    filters = page.search_bar.filters
    assert (filters.size_classes, filters.license, filters.gated, filters.order) == (("small",), "mit", False, "recent")
    assert filters.largest_bytes > 0


def test_a_gated_download_offers_to_sign_in(hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot) -> None:
    """A button in its row opens the dialog. After signing in, the download restarts by itself."""
    add_variant(hub, "converts/Gated-4bit", gated=True)
    hub.tokens["hf_whale"] = "ada"
    hub.accepted.add(("ada", "converts/Gated-4bit"))
    run.downloads.accept("converts/Gated-4bit")
    qtbot.waitUntil(lambda: "Sign-in required" in text_of(page), timeout=TIMEOUT_MS)
    button(page, "Sign In…").click()
    assert page.findChildren(SignInDialog)
    run.account.sign_in("hf_whale")
    qtbot.waitUntil(lambda: "every file verified" in text_of(page), timeout=TIMEOUT_MS)
    assert "Signed in as ada" in text_of(page)


def test_finished_downloads_can_be_cleared(hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot) -> None:
    """The panel is hidden when it is empty."""
    add_variant(hub, "converts/Whale-4bit")
    run.downloads.accept("converts/Whale-4bit")
    qtbot.waitUntil(lambda: "every file verified" in text_of(page), timeout=TIMEOUT_MS)
    button(page, "Clear Finished").click()
    assert not any(row.isVisible() for row in page.findChildren(JobRow))
    assert "Downloads" not in text_of(page)


def test_the_page_shows_that_facet_is_offline(page: DiscoverPage, run: HubWindow) -> None:
    """The strip appears with the switch, and its button goes online again."""
    assert "Facet is offline" not in text_of(page)
    run.offline.turn(on=True)
    assert "Facet is offline" in text_of(page)
    button(page, "Go Online").click()
    assert "Facet is offline" not in text_of(page)
    assert not run.offline.is_on


def test_a_variable_that_forces_facet_offline_is_named(
    hub: Hub, theme: Theme, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    """Neither the strip nor the error has a button to go online, since it could not change anything."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run = HubWindow(tmp_path, theme)
    page = run.hub.page()
    qtbot.addWidget(page)
    page.show()
    assert "Facet is offline because HF_HUB_OFFLINE is set." in text_of(page)
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "The environment variable HF_HUB_OFFLINE is set." in text_of(page), timeout=TIMEOUT_MS)
    assert not [item for item in page.findChildren(QAbstractButton) if item.text() == "Go Online" and item.isVisible()]
    run.close()


def test_a_blocked_search_is_counted(
    page: DiscoverPage, run: HubWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    """A search is blocked; the strip counts it, and the page offers to go online."""
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    run.offline.turn(on=True)
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "1 connection blocked so far" in text_of(page), timeout=TIMEOUT_MS)
    assert button(page, "Go Online").isVisible()


def test_blocked_connections_of_other_processes_are_counted(
    page: DiscoverPage, run: HubWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    """The count is refreshed while the page is open."""
    run.offline.turn(on=True)
    log = tmp_path / "logs" / network.LOG_NAME
    log.parent.mkdir(exist_ok=True)
    log.write_text("one\ntwo\n")
    qtbot.waitUntil(lambda: "2 connections blocked so far" in text_of(page), timeout=TIMEOUT_MS)


def test_evaluations_are_on_the_page_and_in_the_comparison(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """They come from the pages, like the context length. A comparison loads the pages itself."""
    for bits, value in ((4, 61.5), (8, 63.25)):
        repository = add_variant(hub, f"converts/Whale-{bits}bit", bits=bits)
        repository.commit({**model_files(), "config.json": json.dumps(CONFIGURATION).encode()})
        metrics = [{"type": "acc", "value": value, "name": "accuracy"}]
        result = {
            "task": {"type": "text-generation"},
            "dataset": {"name": "Songs", "type": "songs"},
            "metrics": metrics,
        }
        repository.card_data["model-index"] = [{"name": "Whale", "results": [result]}]
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "Weights fit" in badges(page), timeout=TIMEOUT_MS)
    for bits in (4, 8):
        button(page, f"Compare converts/Whale-{bits}bit").click()
    button(page, "Compare").click()
    qtbot.waitUntil(lambda: {"61.5", "63.25", "40k tokens"} <= set(text_of(page).splitlines()), timeout=TIMEOUT_MS)
    button(page, "Back to the results").click()
    assert badges(page) == ["Fits", "Fits"]
    button(page, "Details: converts/Whale-4bit").click()
    qtbot.waitUntil(lambda: "Songs · accuracy" in text_of(page), timeout=TIMEOUT_MS)
    assert "context (8,192 tokens)" in text_of(page)


@pytest.mark.parametrize(("width", "text_size"), [(660, 100), (660, 200), (400, 200), (1400, 100)])
def test_nothing_is_wider_than_the_page(page: DiscoverPage, theme: Theme, width: int, text_size: int) -> None:
    """In a small window with large text, cards wrap and filters take more lines."""
    theme.set_text_size(text_size)
    page.resize(width, 500)
    for card in page.findChildren(CatalogCard):
        assert card.mapTo(page, card.rect().topRight()).x() <= width


def test_every_button_has_a_name(page: DiscoverPage) -> None:
    """Screen readers need it."""
    buttons = page.findChildren(QAbstractButton)
    assert [item for item in buttons if not (item.accessibleName() or item.text())] == []


def test_a_downloaded_model_can_be_quantized(hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot) -> None:
    """The request has the model's id in the library."""
    add_variant(hub, "maker/Whale-4bit")
    with qtbot.waitSignal(run.library.refreshed, timeout=TIMEOUT_MS):
        run.install("maker/Whale-4bit")
    run.discover.open("maker/Whale-4bit")
    qtbot.waitUntil(lambda: "About" in text_of(page), timeout=TIMEOUT_MS)
    with qtbot.waitSignal(page.quantize_requested) as requested:
        button(page, "Quantize…").click()
    assert requested.args == ["owner/Whale-4bit"]


def test_a_model_can_be_quantized_during_its_download(
    hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot
) -> None:
    """The request has the repository."""
    add_variant(hub, "maker/Whale")
    run.discover.open("maker/Whale")
    qtbot.waitUntil(lambda: "About" in text_of(page), timeout=TIMEOUT_MS)
    with qtbot.waitSignal(page.quantize_repository_requested) as requested:
        button(page, "Download and Quantize…").click()
    assert requested.args == ["maker/Whale"]
