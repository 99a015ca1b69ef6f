"""The picker of the corpus picker, in the main window."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.assembly.lab import LabAssembly
from app.assembly.window import Assembly
from app.viewmodels.lab.study_store import StudyStore
from app.views.lab.corpus_picker import CorpusPicker
from app.views.lab.page import LabPage
from mlx_engine.folders import Folders
from mlx_engine.measure.corpus.corpus import read_corpus
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.study_file import save_study
from tests.app.conversations import conversation, message
from tests.app.views.shell.test_window import action
from tests.model_folders import write_model
from tests.scripted_worker import Script

TIMEOUT_MS = 20_000
WHALE = "maker/Whale-bf16"

Setup = Callable[[], tuple[LabAssembly, CorpusPicker, Assembly]]

pytestmark = pytest.mark.process


@pytest.fixture
def open_setup(assemble: Callable[[Script], Assembly], folders: Folders, qtbot: QtBot) -> Setup:
    """Open the set-up of a study of `WHALE` in the main window."""

    def open_setup() -> tuple[LabAssembly, CorpusPicker, Assembly]:
        write_model(folders.models / WHALE, {"model.embed_tokens.weight": ("BF16", (4096, 256))})
        assembly = assemble(Script(answer=""))
        qtbot.waitUntil(lambda: assembly.library.description(WHALE) is not None, timeout=TIMEOUT_MS)
        action(assembly.workbench, "page_lab").trigger()
        page = assembly.workbench.findChild(LabPage)
        page.new()
        parts = assembly.pages.lab()
        parts.draft.set_original(assembly.library.description(WHALE))
        return parts, page.setup.corpus, assembly

    return open_setup


def _corpus(parts: LabAssembly) -> CorpusSource:
    assert parts.draft.plan
    return parts.draft.plan.corpus


def test_only_one_text_can_be_selected(open_setup: Setup) -> None:
    """Only the built-in texts have parts. The explanation of a data set names its source."""
    parts, picker, _ = open_setup()
    picker.wikitext.click()
    assert _corpus(parts) == CorpusSource(dataset="wikitext-2")
    assert "Hugging Face Hub" in picker.explanation.text()
    assert [segment.isChecked() for segment in (picker.builtin, picker.wikitext, picker.chats, picker.file)] == [
        False,
        True,
        False,
        False,
    ]
    assert not picker.kinds["prose"].isVisible()
    picker.builtin.click()
    assert _corpus(parts) == CorpusSource()


def test_all_parts_of_the_built_in_texts_are_selected_at_first(open_setup: Setup) -> None:
    parts, picker, _ = open_setup()
    assert all(box.isChecked() for box in picker.kinds.values())
    assert _corpus(parts) == CorpusSource()


def test_one_part_of_the_built_in_texts_stays_selected(open_setup: Setup) -> None:
    """Otherwise, the last click would select all of them."""
    parts, picker, _ = open_setup()
    for box in picker.kinds.values():
        box.click()
    *_, last = picker.kinds
    assert [kind for kind, box in picker.kinds.items() if box.isChecked()] == [last]
    assert _corpus(parts) == CorpusSource(kinds=(last,))
    for box in picker.kinds.values():
        box.setChecked(False)
        box.click()
    assert _corpus(parts) == CorpusSource()


def test_one_precision_of_the_kv_cache_stays_selected(open_setup: Setup) -> None:
    parts, picker, _ = open_setup()
    picker.bits[16].click()
    assert picker.bits[16].isChecked()
    picker.bits[8].click()
    picker.bits[16].click()
    assert parts.draft.options.cache_bits == (8,)


def test_past_chats_cannot_be_selected_without_chats(open_setup: Setup) -> None:
    """Its tooltip has the reason."""
    _, picker, _ = open_setup()
    assert not picker.chats.isEnabled()
    assert picker.chats.toolTip() == "No chats with an answer yet."


def test_past_chats_are_copied_and_stay_private(open_setup: Setup, folders: Folders, qtbot: QtBot) -> None:
    """The explanation has their number. Deleting the study also deletes the copy."""
    parts, picker, assembly = open_setup()
    assembly.store.save(
        conversation("a", title="Far", leaf="m"),
        [message("q", text="How far?"), message("m", "q", text="Far.", model="o/m")],
    )
    picker.hide()
    picker.show()
    assert picker.chats.text() == "Past chats (1)"
    picker.chats.click()
    corpus = _corpus(parts)
    copy = Path(corpus.path)
    assert "1 chat with 2 messages" in picker.explanation.text()
    assert (corpus.private, copy.is_relative_to(folders.chats)) == (True, True)
    assert read_corpus(copy).texts[0].messages[1].content == "Far."
    study = parts.draft.study()
    assert study
    save_study(study, folders.studies)
    store = StudyStore(folders)
    assert copy.exists()
    store.delete(study.plan.name)
    assert not copy.exists()
