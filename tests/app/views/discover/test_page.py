"""The page as a person uses it, with the test Hub behind it."""

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


def words(page: DiscoverPage) -> str:
    """Everything that can be read on the page."""
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def badges(page: DiscoverPage) -> list[str]:
    """The verdicts of the rows, from top to bottom."""
    said = (badge.accessibleName() for row in page.findChildren(VariantRow) for badge in row.findChildren(Badge))
    return list(said)


def button(page: DiscoverPage, name: str) -> QAbstractButton:
    named = (one for one in page.findChildren(QAbstractButton) if name in (one.accessibleName(), one.text()))
    return next(one for one in named if one.isVisible())


def search(page: DiscoverPage, text: str, qtbot: QtBot) -> None:
    page.search_bar.field.setText(text)
    qtbot.keyClick(page.search_bar.field, Qt.Key.Key_Return)


def test_the_catalogue_is_there_without_a_word_to_the_hub(hub: Hub, page: DiscoverPage, run: HubWindow) -> None:
    """Opening the page asks nothing of anybody."""
    assert len(page.findChildren(CatalogCard)) == len(run.discover.catalog)
    assert "Best pick" in words(page)
    assert hub.requests == []


def test_a_search_is_shown_compared_and_left(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """From words to results, side by side, and back to the catalogue."""
    for bits in (4, 8):
        add_variant(hub, f"converts/Whale-{bits}bit", bits=bits)
    search(page, "whale", qtbot)
    assert "Searching the Hub…" in words(page)
    qtbot.waitUntil(lambda: "1 model in 2 variants" in words(page), timeout=TIMEOUT_MS)
    for bits in (4, 8):
        button(page, f"Compare converts/Whale-{bits}bit").click()
    button(page, "Compare").click()
    assert "Quantization" in words(page)
    assert "8-bit" in words(page)
    button(page, "Back to the results").click()
    assert "1 model in 2 variants" in words(page)
    button(page, "Back to the catalog").click()
    assert "Best pick" in words(page)


def test_the_page_of_a_model_shows_its_card_and_files(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """What a person wants to know before a download is on one page, and the way back leads to the results."""
    add_variant(hub, "converts/Whale-4bit")
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "1 model" in words(page), timeout=TIMEOUT_MS)
    button(page, "Details: converts/Whale-4bit").click()
    qtbot.waitUntil(lambda: "model.safetensors" in words(page), timeout=TIMEOUT_MS)
    for fact in ("Apache 2.0", "maker/Whale", "The weights need"):
        assert fact in words(page)
    button(page, "Back").click()
    assert "1 model" in words(page)


def test_a_fault_says_what_to_do(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """An error stands on the page with its sentence, and trying again works."""
    add_variant(hub, "converts/Whale-4bit")
    hub.inject("/api/models", Refuse(403))
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "Hugging Face Hub error" in words(page), timeout=TIMEOUT_MS)
    # A button that is new in its layout is shown by the next turn of the event loop.
    again = next(one for one in page.findChildren(QAbstractButton) if one.text() == "Try Again")
    qtbot.waitUntil(again.isVisible, timeout=TIMEOUT_MS)
    again.click()
    qtbot.waitUntil(lambda: "1 model" in words(page), timeout=TIMEOUT_MS)


def test_filters_are_sent_with_the_search(page: DiscoverPage) -> None:
    """Each chip narrows what it says."""
    chips = {chip.accessibleName().partition(":")[0]: chip for chip in page.findChildren(ChoiceChip)}
    chips["Size"].choose("Small, 1.5B to 13.9B")
    chips["License"].choose("MIT")
    chips["Access"].choose("Not gated")
    chips["Order"].choose("Recent")
    button(page, "Fits this Mac").click()
    filters = page.search_bar.filters
    assert (filters.size_classes, filters.license, filters.gated, filters.order) == (("small",), "mit", False, "recent")
    assert filters.largest_bytes > 0


def test_a_refused_download_leads_to_signing_in(hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot) -> None:
    """The row of a gated model has the button that opens the dialog; after it the download arrives by itself."""
    add_variant(hub, "converts/Gated-4bit", gated=True)
    hub.tokens["hf_whale"] = "ada"
    hub.accepted.add(("ada", "converts/Gated-4bit"))
    run.downloads.accept("converts/Gated-4bit")
    qtbot.waitUntil(lambda: "Sign-in required" in words(page), timeout=TIMEOUT_MS)
    button(page, "Sign In…").click()
    assert page.findChildren(SignInDialog)
    run.account.sign_in("hf_whale")
    qtbot.waitUntil(lambda: "every file verified" in words(page), timeout=TIMEOUT_MS)
    assert "Signed in as ada" in words(page)


def test_finished_downloads_can_be_cleared(hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot) -> None:
    """With nothing left to tell, the panel goes."""
    add_variant(hub, "converts/Whale-4bit")
    run.downloads.accept("converts/Whale-4bit")
    qtbot.waitUntil(lambda: "every file verified" in words(page), timeout=TIMEOUT_MS)
    button(page, "Clear Finished").click()
    assert not any(row.isVisible() for row in page.findChildren(JobRow))
    assert "Downloads" not in words(page)


def test_the_page_shows_that_facet_is_offline(page: DiscoverPage, run: HubWindow) -> None:
    """The strip appears with the switch, and its button goes online again."""
    assert "Facet is offline" not in words(page)
    run.offline.turn(on=True)
    assert "Facet is offline" in words(page)
    button(page, "Go Online").click()
    assert "Facet is offline" not in words(page)
    assert not run.offline.is_on


def test_a_variable_that_forces_facet_offline_is_named(
    hub: Hub, theme: Theme, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    """There is no button that could not change it, neither in the strip nor in the error."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    run = HubWindow(tmp_path, theme)
    page = run.hub.page()
    qtbot.addWidget(page)
    page.show()
    assert "Facet is offline because HF_HUB_OFFLINE is set." in words(page)
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "The environment variable HF_HUB_OFFLINE is set." in words(page), timeout=TIMEOUT_MS)
    assert not [one for one in page.findChildren(QAbstractButton) if one.text() == "Go Online" and one.isVisible()]
    run.close()


def test_what_was_refused_offline_is_shown(
    page: DiscoverPage, run: HubWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, qtbot: QtBot
) -> None:
    """A search is blocked; the strip counts it, and the page offers to go online."""
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    run.offline.turn(on=True)
    search(page, "whale", qtbot)
    qtbot.waitUntil(lambda: "1 connection blocked so far" in words(page), timeout=TIMEOUT_MS)
    assert button(page, "Go Online").isVisible()


def test_what_other_processes_were_refused_is_shown_too(
    page: DiscoverPage, run: HubWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    """A worker or a job that tries in the background is counted while the page stands open."""
    run.offline.turn(on=True)
    log = tmp_path / "logs" / network.LOG_NAME
    log.parent.mkdir(exist_ok=True)
    log.write_text("one\ntwo\n")
    qtbot.waitUntil(lambda: "2 connections blocked so far" in words(page), timeout=TIMEOUT_MS)


def test_what_a_card_claims_is_on_the_page_and_in_the_comparison(hub: Hub, page: DiscoverPage, qtbot: QtBot) -> None:
    """Evaluations and the context length come from the pages, which a comparison reads by itself."""
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
    qtbot.waitUntil(lambda: {"61.5", "63.25", "40k tokens"} <= set(words(page).splitlines()), timeout=TIMEOUT_MS)
    button(page, "Back to the results").click()
    assert badges(page) == ["Fits", "Fits"]
    button(page, "Details: converts/Whale-4bit").click()
    qtbot.waitUntil(lambda: "Songs · accuracy" in words(page), timeout=TIMEOUT_MS)
    assert "context (8,192 tokens)" in words(page)


@pytest.mark.parametrize(("width", "text_size"), [(660, 100), (660, 200), (400, 200), (1400, 100)])
def test_nothing_is_wider_than_the_page(page: DiscoverPage, theme: Theme, width: int, text_size: int) -> None:
    """In a small window, with large text, everything stays within reach: cards wrap, filters take more lines."""
    theme.set_text_size(text_size)
    page.resize(width, 500)
    for card in page.findChildren(CatalogCard):
        assert card.mapTo(page, card.rect().topRight()).x() <= width


def test_all_that_can_be_pressed_has_a_name(page: DiscoverPage) -> None:
    """A screen reader can tell every button."""
    assert [one for one in page.findChildren(QAbstractButton) if not (one.accessibleName() or one.text())] == []


def test_a_model_that_is_here_leads_to_its_quantization(
    hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot
) -> None:
    """The page of its repository tells which model of the library it is."""
    add_variant(hub, "maker/Whale-4bit")
    with qtbot.waitSignal(run.library.refreshed, timeout=TIMEOUT_MS):
        run.install("maker/Whale-4bit")
    run.discover.open("maker/Whale-4bit")
    qtbot.waitUntil(lambda: "About" in words(page), timeout=TIMEOUT_MS)
    with qtbot.waitSignal(page.quantize_requested) as requested:
        button(page, "Quantize…").click()
    assert requested.args == ["owner/Whale-4bit"]


def test_a_model_that_is_not_here_can_be_quantized_while_it_comes(
    hub: Hub, page: DiscoverPage, run: HubWindow, qtbot: QtBot
) -> None:
    """Its page offers that beside the download."""
    add_variant(hub, "maker/Whale")
    run.discover.open("maker/Whale")
    qtbot.waitUntil(lambda: "About" in words(page), timeout=TIMEOUT_MS)
    with qtbot.waitSignal(page.quantize_repository_requested) as requested:
        button(page, "Download and Quantize…").click()
    assert requested.args == ["maker/Whale"]
