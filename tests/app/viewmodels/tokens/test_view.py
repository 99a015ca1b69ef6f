"""Tests of the token view-model: choices and steps."""

from pathlib import Path

import pytest

from app.viewmodels.tokens.states import NoText, ReadingText, TextFailed, TextShown
from app.viewmodels.tokens.view import USER_TEXT, TokenViewModel
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import MeasureFidelity, ReadTokens, RecordReference
from mlx_engine.measure.results.results import PASTED_TEXT, save_fidelity
from tests.app.token_texts import FLIPS, FakeLab, TokenAnswers, result, study

TEXT = "The boats came back in the evening, all of them but one."


@pytest.fixture
def jobs() -> TokenAnswers:
    return TokenAnswers()


@pytest.fixture
def lab(qapp: object) -> FakeLab:
    return FakeLab(study("Whale-4bit", "Whale-3bit"))


@pytest.fixture
def view(lab: FakeLab, jobs: TokenAnswers, tmp_path: Path) -> TokenViewModel:
    view = TokenViewModel(lab, jobs, Folders(data=tmp_path, cache=tmp_path, logs=tmp_path))
    view.start()
    return view


def test_nothing_is_read_before_the_start(lab: FakeLab, jobs: TokenAnswers, tmp_path: Path) -> None:
    """A hidden view starts no process, even though a running study changes often."""
    TokenViewModel(lab, jobs, Folders(data=tmp_path, cache=tmp_path, logs=tmp_path))
    lab.changed.emit()
    assert jobs.requests == []


def test_the_first_text_of_the_first_candidate_is_shown(view: TokenViewModel) -> None:
    assert isinstance(view.state, TextShown)
    assert (view.state.passage.candidate, view.kind, view.chunk) == ("4bit", "prose", 0)
    assert view.state.passage.flips == FLIPS


def test_a_running_study_keeps_the_current_text(view: TokenViewModel, lab: FakeLab, jobs: TokenAnswers) -> None:
    """A new candidate is available; text and token are kept."""
    view.go_to(2)
    lab.show_study(study("Whale-4bit", "Whale-3bit", "Whale-8bit"))
    assert [candidate.name for candidate in view.candidates] == ["4bit", "3bit", "8bit"]
    assert (len(jobs.requests), view.current) == (1, 2)


def test_another_study_shows_its_text(view: TokenViewModel, lab: FakeLab) -> None:
    lab.show_study(study("Whale-8bit"))
    assert view.candidate
    assert view.candidate.name == "8bit"
    lab.show_study(None)
    assert isinstance(view.state, NoText)


def test_each_kind_has_its_chunks(view: TokenViewModel) -> None:
    """Chunks are counted per kind, and the arrows stay within it."""
    view.choose_kind("code")
    assert (view.chunks, view.chunk) == ([2, 3], 2)
    view.turn(1)
    view.turn(1)
    assert view.chunk == 3


def test_another_candidate_is_shown_at_the_same_token(view: TokenViewModel) -> None:
    """Two candidates can be compared at one token."""
    view.go_to(4)
    view.choose_candidate("3bit")
    assert isinstance(view.state, TextShown)
    assert (view.state.passage.candidate, view.current) == ("3bit", 4)


def test_swap_switches_between_two_candidates(view: TokenViewModel) -> None:
    """At first, there is no previous candidate."""
    view.go_to(4)
    view.swap()
    names = []
    view.choose_candidate("3bit")
    for _ in range(2):
        view.swap()
        assert view.candidate
        names.append((view.candidate.name, view.current))
    assert names == [("4bit", 4), ("3bit", 4)]


def test_steps_lead_from_flip_to_flip_and_into_the_next_text(view: TokenViewModel) -> None:
    positions = []
    while view.step(1):
        positions.append((view.chunk, view.current))
    assert positions == [(0, 1), (0, 4), (1, 1), (1, 4)]
    view.go_to(0)
    assert view.step(-1)
    assert (view.chunk, view.current) == (0, 4)


def test_a_step_skips_texts_without_flips(view: TokenViewModel, jobs: TokenAnswers) -> None:
    """Without a flip in the next text, there is no current token."""
    view.go_to(4)
    jobs.tokens = tuple(token for token in view.state.passage.tokens if not token.differs)  # type: ignore[union-attr]
    view.step(1)
    assert (view.chunk, view.current) == (1, None)


def test_jump_goes_to_a_worst_place(view: TokenViewModel) -> None:
    """Its position counts from the start of the chunk, tokens from the first scored one."""
    view.jump(view.worst[0])
    assert (view.kind, view.chunk, view.current) == ("code", 3, 2)
    view.go_to(5)
    view.jump(view.worst[0])
    assert view.current == 2


def test_a_text_that_cannot_be_read_is_an_error(view: TokenViewModel, jobs: TokenAnswers) -> None:
    jobs.failure = "Measure this model again."
    view.choose_chunk(1)
    assert view.state == TextFailed("It failed", "Measure this model again.")


def test_a_users_text_is_read_by_the_original_and_then_by_the_candidate(
    view: TokenViewModel, jobs: TokenAnswers
) -> None:
    """The result is shown as any other text."""
    view.measure(TEXT)
    assert [type(request) for request in jobs.requests[1:]] == [RecordReference, MeasureFidelity, ReadTokens]
    assert isinstance(jobs.requests[1], RecordReference)
    assert (jobs.requests[1].model, jobs.requests[1].corpus.text) == ("/models/Whale", TEXT)
    assert view.kind == USER_TEXT
    assert isinstance(view.state, TextShown)


def test_another_candidate_uses_the_same_answers(view: TokenViewModel, jobs: TokenAnswers) -> None:
    """The original is not run again, and earlier results are reused."""
    view.measure(TEXT)
    before = len(jobs.requests)
    view.choose_candidate("3bit")
    view.choose_candidate("4bit")
    assert [type(request) for request in jobs.requests[before:]] == [MeasureFidelity, ReadTokens, ReadTokens]


def test_another_candidate_waits_for_the_original(view: TokenViewModel, jobs: TokenAnswers) -> None:
    """It is measured next, once the original is done."""
    jobs.is_patient = True
    view.measure(TEXT)
    view.choose_candidate("3bit")
    assert view.state == ReadingText("The original is reading your text…")
    jobs.answer()
    assert isinstance(jobs.requests[-1], MeasureFidelity)
    assert jobs.requests[-1].model == "/models/Whale-3bit"


def test_closing_a_study_cancels_its_measurement(view: TokenViewModel, lab: FakeLab, jobs: TokenAnswers) -> None:
    """Later answers of its original are ignored."""
    jobs.is_patient = True
    view.measure(TEXT)
    lab.show_study(None)
    jobs.answer()
    assert isinstance(view.state, NoText)
    assert isinstance(jobs.requests[-1], RecordReference)


def test_another_text_is_not_shown_as_the_users_text(view: TokenViewModel, jobs: TokenAnswers) -> None:
    """Choosing the user's text cancels the text that is being read."""
    jobs.is_patient = True
    view.turn(1)
    view.choose_kind(USER_TEXT)
    jobs.answer()
    assert view.state == NoText("")


def test_no_text_is_measured_while_a_study_runs(view: TokenViewModel, lab: FakeLab, jobs: TokenAnswers) -> None:
    """Two models may not fit in memory; the reason is available."""
    lab.running = "boats"
    view.measure(TEXT)
    assert "running" in view.problem
    assert len(jobs.requests) == 1


def test_a_very_short_text_is_rejected(view: TokenViewModel, jobs: TokenAnswers) -> None:
    view.measure("Boats.")
    assert isinstance(view.state, TextFailed)
    assert len(jobs.requests) == 1


def test_users_texts_can_be_deleted(view: TokenViewModel, lab: FakeLab, jobs: TokenAnswers, tmp_path: Path) -> None:
    """Including those of earlier sessions; results on other texts are kept."""
    folders = Folders(data=tmp_path, cache=tmp_path, logs=tmp_path)
    pasted = save_fidelity(result("a", corpus=PASTED_TEXT), folders.measurements)
    other = save_fidelity(result("b"), folders.measurements)
    later = TokenViewModel(lab, jobs, folders)
    later.start()
    assert (view.pasted.is_saved, later.pasted.is_saved) == (False, True)
    later.pasted.delete()
    assert not later.pasted.is_saved
    assert (pasted.exists(), other.exists()) == (False, True)
