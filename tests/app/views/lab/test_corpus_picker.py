"""The chips of the corpus picker, in the main window."""

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
    parts, chips, _ = open_setup()
    chips.kinds["prose"].click()
    assert _corpus(parts) == CorpusSource(kinds=("prose",))
    chips.wikitext.click()
    assert _corpus(parts) == CorpusSource(dataset="wikitext-2")
    assert "Hugging Face Hub" in chips.explanation.text()
    assert [chip.isChecked() for chip in (chips.builtin, chips.wikitext, chips.chats, chips.file)] == [
        False,
        True,
        False,
        False,
    ]
    assert not chips.kinds["prose"].isVisible()
    chips.builtin.click()
    assert _corpus(parts) == CorpusSource()


def test_the_chip_for_chats_is_disabled_without_chats(open_setup: Setup) -> None:
    """Its tooltip has the reason."""
    _, chips, _ = open_setup()
    assert not chips.chats.isEnabled()
    assert chips.chats.toolTip() == "No chats with an answer yet."


def test_past_chats_are_copied_and_stay_private(open_setup: Setup, folders: Folders, qtbot: QtBot) -> None:
    """The explanation has their number. Deleting the study also deletes the copy."""
    parts, chips, assembly = open_setup()
    assembly.store.save(
        conversation("a", title="Far", leaf="m"),
        [message("q", text="How far?"), message("m", "q", text="Far.", model="o/m")],
    )
    chips.hide()
    chips.show()
    assert chips.chats.text() == "Past chats (1)"
    chips.chats.click()
    corpus = _corpus(parts)
    copy = Path(corpus.path)
    assert "1 chat with 2 messages" in chips.explanation.text()
    assert (corpus.private, copy.is_relative_to(folders.chats)) == (True, True)
    assert read_corpus(copy).texts[0].messages[1].content == "Far."
    study = parts.draft.study()
    assert study
    save_study(study, folders.studies)
    store = StudyStore(folders)
    assert copy.exists()
    store.delete(study.plan.name)
    assert not copy.exists()
