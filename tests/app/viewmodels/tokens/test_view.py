"""A text of a study token by token: what is chosen, and where in it one is."""

from pathlib import Path

import pytest

from app.viewmodels.tokens.states import Broken, Busy, Idle, Shown
from app.viewmodels.tokens.view import OWN, TokenView
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import KeepAnswers, MeasureFidelity, ReadTokens
from mlx_engine.measure.results.results import PASTED_TEXT, keep_fidelity
from tests.app.token_texts import FLIPS, GivenLab, TokenAnswers, result, study

OWN_TEXT = "The boats came back in the evening, all of them but one."


@pytest.fixture
def jobs() -> TokenAnswers:
    return TokenAnswers()


@pytest.fixture
def lab(qapp: object) -> GivenLab:
    return GivenLab(study("Whale-4bit", "Whale-3bit"))


@pytest.fixture
def view(lab: GivenLab, jobs: TokenAnswers, tmp_path: Path) -> TokenView:
    view = TokenView(lab, jobs, Folders(data=tmp_path, cache=tmp_path, logs=tmp_path))
    view.begin()
    return view


def test_nothing_is_read_before_somebody_looks(lab: GivenLab, jobs: TokenAnswers, tmp_path: Path) -> None:
    """A study that runs tells of changes all the time; no process is started for a view that nobody sees."""
    TokenView(lab, jobs, Folders(data=tmp_path, cache=tmp_path, logs=tmp_path))
    lab.changed.emit()
    assert jobs.asked == []


def test_the_first_text_of_the_first_candidate_is_shown(view: TokenView) -> None:
    assert isinstance(view.state, Shown)
    assert (view.state.passage.candidate, view.kind, view.chunk) == ("4bit", "prose", 0)
    assert view.state.passage.flips == FLIPS


def test_a_study_that_goes_on_leaves_what_is_shown(view: TokenView, lab: GivenLab, jobs: TokenAnswers) -> None:
    """Another candidate that is measured meanwhile can be chosen; the text stays, and the place in it."""
    view.go_to(2)
    lab.show_study(study("Whale-4bit", "Whale-3bit", "Whale-8bit"))
    assert [one.name for one in view.candidates] == ["4bit", "3bit", "8bit"]
    assert (len(jobs.asked), view.current) == (1, 2)


def test_another_study_shows_its_own(view: TokenView, lab: GivenLab) -> None:
    lab.show_study(study("Whale-8bit"))
    assert view.candidate
    assert view.candidate.name == "8bit"
    lab.show_study(None)
    assert isinstance(view.state, Idle)


def test_a_kind_has_chunks_of_its_own(view: TokenView) -> None:
    """They are counted within the kind, and the arrows stay in it."""
    view.choose_kind("code")
    assert (view.chunks, view.chunk) == ([2, 3], 2)
    view.turn(1)
    view.turn(1)
    assert view.chunk == 3


def test_another_candidate_is_shown_at_the_same_place(view: TokenView) -> None:
    """So that two are compared at one token."""
    view.go_to(4)
    view.choose_candidate("3bit")
    assert isinstance(view.state, Shown)
    assert (view.state.passage.candidate, view.current) == ("3bit", 4)


def test_two_candidates_are_held_against_each_other(view: TokenView) -> None:
    """One goes back and forth between the last two; at first there is nothing to go back to."""
    view.go_to(4)
    view.swap()
    names = []
    view.choose_candidate("3bit")
    for _ in range(2):
        view.swap()
        assert view.candidate
        names.append((view.candidate.name, view.current))
    assert names == [("4bit", 4), ("3bit", 4)]


def test_steps_lead_from_flip_to_flip_and_into_the_next_text(view: TokenView) -> None:
    places = []
    while view.step(1):
        places.append((view.chunk, view.current))
    assert places == [(0, 1), (0, 4), (1, 1), (1, 4)]
    view.go_to(0)
    assert view.step(-1)
    assert (view.chunk, view.current) == (0, 4)


def test_a_text_without_flips_is_gone_through_from_its_end(view: TokenView, jobs: TokenAnswers) -> None:
    """A step that finds none in the next text either leaves no place marked."""
    view.go_to(4)
    jobs.tokens = tuple(token for token in view.state.passage.tokens if not token.differs)  # type: ignore[union-attr]
    view.step(1)
    assert (view.chunk, view.current) == (1, None)


def test_the_worst_place_is_jumped_to(view: TokenView) -> None:
    """Its position counts from the beginning of the chunk, the tokens from the first that is scored."""
    view.jump(view.worst[0])
    assert (view.kind, view.chunk, view.current) == ("code", 3, 2)
    view.go_to(5)
    view.jump(view.worst[0])
    assert view.current == 2


def test_what_cannot_be_read_is_told(view: TokenView, jobs: TokenAnswers) -> None:
    jobs.failure = "Measure this model again."
    view.choose_chunk(1)
    assert view.state == Broken("It failed", "Measure this model again.")


def test_an_own_text_is_read_by_the_original_and_then_by_the_candidate(view: TokenView, jobs: TokenAnswers) -> None:
    """One after the other, and then shown as any other text."""
    view.measure(OWN_TEXT)
    assert [type(one) for one in jobs.asked[1:]] == [KeepAnswers, MeasureFidelity, ReadTokens]
    assert isinstance(jobs.asked[1], KeepAnswers)
    assert (jobs.asked[1].model, jobs.asked[1].corpus.text) == ("/models/Whale", OWN_TEXT)
    assert view.kind == OWN
    assert isinstance(view.state, Shown)


def test_another_candidate_reads_the_own_text_against_the_same_answers(view: TokenView, jobs: TokenAnswers) -> None:
    """The original is not run again; and what was measured once is only read."""
    view.measure(OWN_TEXT)
    before = len(jobs.asked)
    view.choose_candidate("3bit")
    view.choose_candidate("4bit")
    assert [type(one) for one in jobs.asked[before:]] == [MeasureFidelity, ReadTokens, ReadTokens]


def test_another_candidate_waits_for_the_original(view: TokenView, jobs: TokenAnswers) -> None:
    """It is the one that reads next, and until then is told to be waited for."""
    jobs.is_patient = True
    view.measure(OWN_TEXT)
    view.choose_candidate("3bit")
    assert view.state == Busy("The original reads your text…")
    jobs.answer()
    assert isinstance(jobs.asked[-1], MeasureFidelity)
    assert jobs.asked[-1].model == "/models/Whale-3bit"


def test_a_study_that_goes_away_takes_its_measurement_along(view: TokenView, lab: GivenLab, jobs: TokenAnswers) -> None:
    """What its original answers later is about nothing that is shown."""
    jobs.is_patient = True
    view.measure(OWN_TEXT)
    lab.show_study(None)
    jobs.answer()
    assert isinstance(view.state, Idle)
    assert isinstance(jobs.asked[-1], KeepAnswers)


def test_another_text_is_not_shown_as_the_own_one(view: TokenView, jobs: TokenAnswers) -> None:
    """Who turns to the own text does not wait for the one before."""
    jobs.is_patient = True
    view.turn(1)
    view.choose_kind(OWN)
    jobs.answer()
    assert view.state == Idle("")


def test_no_text_is_measured_while_a_study_runs(view: TokenView, lab: GivenLab, jobs: TokenAnswers) -> None:
    """Two models at once may not fit; the reason is there to be shown."""
    lab.running = "boats"
    view.measure(OWN_TEXT)
    assert "running" in view.obstacle
    assert len(jobs.asked) == 1


def test_a_text_of_a_few_letters_is_refused(view: TokenView, jobs: TokenAnswers) -> None:
    view.measure("Boats.")
    assert isinstance(view.state, Broken)
    assert len(jobs.asked) == 1


def test_own_texts_are_forgotten(view: TokenView, lab: GivenLab, jobs: TokenAnswers, tmp_path: Path) -> None:
    """Those of earlier days too; what was measured on other texts stays."""
    folders = Folders(data=tmp_path, cache=tmp_path, logs=tmp_path)
    mine = keep_fidelity(result("a", corpus=PASTED_TEXT), folders.measurements)
    other = keep_fidelity(result("b"), folders.measurements)
    later = TokenView(lab, jobs, folders)
    later.begin()
    assert (view.own.is_kept, later.own.is_kept) == (False, True)
    later.own.forget()
    assert not later.own.is_kept
    assert (mine.exists(), other.exists()) == (False, True)
