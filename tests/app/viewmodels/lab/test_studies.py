"""The studies on this machine, and the one that runs."""

from pathlib import Path

import msgspec
import pytest

from app.viewmodels.lab.lines import StudyLine
from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.study_store import StudyStore
from app.viewmodels.lab.time_estimate import default_speeds
from mlx_engine.folders import Folders
from mlx_engine.measure.figures.figures import DECODE_SPEED
from mlx_engine.measure.results.messages import FidelityMeasured, FidelityProgress, ReferenceRecorded, SpeedProgress
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan
from mlx_engine.measure.study.plan import Gates, StudyPlan
from mlx_engine.measure.study.study import Row, Step, StepKind, Study
from tests.app.given_runner import GivenRunner
from tests.mlx_engine.measure.charts.studies import FEW, fidelity
from tests.mlx_engine.measure.charts.studies import study as measured
from tests.mlx_engine.measure.study.test_study import result, speed

KEPT = ReferenceRecorded(id="", reference_folder="/answers", size_bytes=1, share=0.1)


@pytest.fixture
def folders(qapp: object, tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


@pytest.fixture
def study() -> Study:
    """An original and two candidates, of which nothing is known yet."""
    rows = (Row(label="maker/Whale", path="w", is_original=True), *(Row(label=f"maker/{n}", path=n) for n in "ab"))
    return Study(plan=StudyPlan(name="Whales", original="maker/Whale", candidates=("a", "b"), speed=None), rows=rows)


class Told:
    """What else the computer does, as the test says: which kinds of steps have to wait for it."""

    disturbance = ""

    def __init__(self) -> None:
        self.hinders: set[StepKind] = set()
        self.has_room: list[str] = []

    def obstacle(self, _study: Study, step: Step, *, is_begun: bool) -> str:
        return f"the {'other' if is_begun else 'conversion'} has ended" if step.kind in self.hinders else ""

    def make_room(self, study: Study) -> None:
        self.has_room.append(study.plan.name)


class Bench:
    """A lab with what works for it; `problems` holds the messages that it told."""

    def __init__(self, folders: Folders) -> None:
        self.runner, self.beside = GivenRunner(), Told()
        self.lab = Lab(
            StudyStore(folders), self.runner, default_speeds(has_metal=True), available_bytes=10**9, beside=self.beside
        )
        self.problems: list[str] = []
        self.lab.problem.connect(lambda title, message: self.problems.append(message))

    def line(self, name: str) -> StudyLine:
        return next(line for line in self.lab.lines() if line.row.label == f"maker/{name}")

    def measure(self, kl: float) -> None:
        """End the present step with a divergence."""
        assert self.runner.step
        self.runner.end_step(FidelityMeasured("", result(kl, self.runner.step.label)))


@pytest.fixture
def bench(folders: Folders) -> Bench:
    return Bench(folders)


def test_a_row_fills_while_it_is_compared(bench: Bench, study: Study) -> None:
    """What is found so far stands in it, marked as such, until the figure is there."""
    bench.lab.begin(study)
    bench.runner.end_step(KEPT)
    bench.runner.tell(FidelityProgress(id="", done=3, total=8, so_far=fidelity(0.02, 0.1)))
    line = bench.line("a")
    assert line.is_open
    assert line.sample.fidelity
    assert line.sample.fidelity.mean_kl == 0.02
    assert "3 of 8" in line.note
    bench.measure(0.03)
    assert not bench.line("a").is_open
    assert bench.line("a").note.startswith("About 10 of 100 next words")


def test_a_row_fills_while_its_speed_is_measured(bench: Bench, study: Study) -> None:
    """Each figure stands in it as soon as it is known."""
    bench.lab.begin(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, speed=SpeedPlan())))
    bench.runner.end_step(KEPT)
    so_far = speed(RateSeries(0, (9.0, 9.0)))
    bench.runner.tell(SpeedProgress(id="", done=1, total=8, step="decoding", so_far=so_far))
    decode_speed = DECODE_SPEED.measured(bench.line("Whale").sample)
    assert decode_speed
    assert decode_speed.value == 9.0
    assert bench.line("Whale").note == "Measuring speed: decoding"


def test_a_failure_stays_in_its_row_and_the_rest_goes_on(bench: Bench, study: Study) -> None:
    """The row says why, and the study can be tried again."""
    bench.lab.begin(study)
    bench.runner.end_step(KEPT)
    bench.runner.fail("Another vocabulary", "Choose a conversion of this original.")
    assert bench.line("a").failure
    assert bench.line("a").failure == "Another vocabulary. Choose a conversion of this original."
    bench.measure(0.01)
    assert bench.line("b").sample.fidelity
    assert (bench.lab.stand.is_running, bench.lab.stand.start) == (False, "Try again")
    bench.lab.start()
    assert not bench.line("a").failure


def test_what_hangs_on_a_failed_original_says_so(bench: Bench, study: Study) -> None:
    """It does not wait for ever."""
    bench.lab.begin(study)
    bench.runner.fail("Too large", "Choose a smaller original.")
    assert bench.line("a").note == "Not compared: the original could not be read"


def test_a_stopped_study_goes_on_where_it_was(bench: Bench, study: Study) -> None:
    bench.lab.begin(study)
    bench.runner.end_step(KEPT)
    bench.measure(0.01)
    bench.lab.stop()
    assert bench.lab.stand.words == "Paused: 1 of 3 steps is left."
    bench.lab.start()
    assert bench.runner.step
    assert bench.runner.step.label == "maker/b"


def test_a_study_that_facet_ended_in_is_offered(bench: Bench, folders: Folders, study: Study) -> None:
    """One that was stopped by the person is not."""
    bench.lab.begin(study)
    assert Bench(folders).lab.interrupted == "Whales"
    bench.lab.stop()
    assert Bench(folders).lab.interrupted == ""


def test_a_study_waits_for_a_conversion(bench: Bench, study: Study) -> None:
    """Two models at once may not fit; it begins by itself afterwards."""
    bench.beside.hinders.add("reference")
    bench.lab.begin(study)
    assert bench.runner.step is None
    assert bench.lab.stand.words == "Waits until the conversion has ended."
    bench.beside.hinders.clear()
    bench.lab.go_on()
    assert bench.runner.step
    assert bench.beside.has_room == ["Whales"]


def test_a_speed_is_left_and_measured_anew_afterwards(bench: Bench, study: Study) -> None:
    """What was found before stays; a study that waits in this way is gone on with when Facet starts again."""
    with_speed = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, speed=SpeedPlan()))
    bench.lab.begin(with_speed)
    bench.runner.end_step(KEPT)
    assert bench.runner.step
    assert bench.runner.step.kind == "speed"
    bench.beside.hinders.add("speed")
    bench.lab.go_on()
    assert (bench.runner.step, bench.lab.running, bench.lab.is_running) == (None, "", True)
    assert bench.lab.stand.words == "Waits until the conversion has ended."
    assert bench.lab.interrupted == "Whales"
    bench.beside.hinders.clear()
    bench.lab.go_on()
    assert bench.runner.step.kind == "speed"
    assert bench.lab.study
    assert bench.lab.study.reference_folder


def test_one_study_runs_at_a_time(bench: Bench, study: Study) -> None:
    """Another one waits for its turn, and begins when the first has ended or is stopped."""
    bench.lab.begin(study)
    second = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name="Dolphins"))
    bench.lab.begin(second)
    assert bench.lab.running == "Whales"
    assert "“Whales” is at its end" in bench.lab.stand.words
    bench.lab.open("Whales")
    bench.lab.stop()
    assert bench.lab.running == "Dolphins"
    assert bench.lab.stand.start == "Resume"


def test_a_study_that_waits_can_be_stopped(bench: Bench, study: Study) -> None:
    """The one that runs goes on."""
    bench.lab.begin(study)
    bench.lab.begin(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name="Dolphins")))
    bench.lab.stop()
    assert (bench.lab.running, bench.lab.stand.start) == ("Whales", "Resume")


def test_what_the_command_line_has_done_is_seen(bench: Bench, folders: Folders, study: Study) -> None:
    """What is worked on here stays as it is known here."""
    bench.lab.begin(study)
    other = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name="Dolphins"))
    StudyStore(folders).keep(other)
    StudyStore(folders).forget("Whales")
    bench.lab.refresh()
    assert set(bench.lab.names) == {"Whales", "Dolphins"}
    bench.lab.stop()
    bench.lab.refresh()
    assert bench.lab.names == ["Dolphins"]
    assert bench.lab.study == other


def test_the_winner_is_named(bench: Bench) -> None:
    """Its line is marked; without limits nobody wins."""
    bench.lab.begin(msgspec.structs.replace(measured(FEW), reference_folder="x"))
    assert bench.lab.judgement == ""
    bench.lab.set_gates(Gates(max_mean_kl=0.05))
    assert bench.lab.judgement == "Best within limits: 4-bit, the fastest of 2."
    assert [line.name for line in bench.lab.lines() if line.is_winner] == ["4-bit"]
    bench.lab.set_gates(Gates(max_mean_kl=0.0001))
    assert bench.lab.judgement.startswith("No model meets your limits")


def test_limits_can_be_set_while_a_study_runs(bench: Bench, study: Study) -> None:
    """What is found afterwards is held against them too."""
    bench.lab.begin(study)
    bench.lab.set_gates(Gates(max_mean_kl=0.05, prefer="closest"))
    bench.runner.end_step(KEPT)
    bench.measure(0.01)
    assert bench.lab.judgement == "Best within limits: a, the only one."


def test_a_renamed_study_is_found_by_its_new_name(bench: Bench, folders: Folders, study: Study) -> None:
    bench.lab.begin(study)
    bench.lab.stop()
    bench.lab.rename("Whales", "Large animals")
    assert StudyStore(folders).names == ["Large animals"]


def test_two_studies_have_two_names(bench: Bench, study: Study) -> None:
    """Names that would be one file on the disk count as the same."""
    for name in ("Whales", "Dolphins"):
        bench.lab.begin(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name=name)))
    bench.lab.stop()
    bench.lab.rename("Dolphins", "whales")
    assert "already" in bench.problems[0]
    assert set(bench.lab.names) == {"Whales", "Dolphins"}


def test_no_study_takes_the_place_of_another(bench: Bench, folders: Folders, study: Study) -> None:
    """Not even of one that the command line has begun a moment ago."""
    StudyStore(folders).keep(msgspec.structs.replace(study, reference_folder="found already"))
    assert not bench.lab.begin(study)
    assert "already" in bench.problems[0]
    kept = StudyStore(folders).get("Whales")
    assert kept
    assert kept.reference_folder == "found already"


def test_a_deleted_study_is_gone(bench: Bench, folders: Folders, study: Study) -> None:
    """Even if it runs."""
    bench.lab.begin(study)
    bench.lab.delete("Whales")
    assert (bench.lab.study, bench.runner.step) == (None, None)
    assert StudyStore(folders).names == []


def test_a_model_can_be_measured_again_or_taken_out(bench: Bench) -> None:
    done = msgspec.structs.replace(measured(FEW), reference_folder="x")
    bench.lab.begin(done)
    first, second = done.candidates[:2]
    bench.lab.drop_results(first.label)
    bench.lab.drop_row(second.label)
    assert bench.lab.stand.words == "Paused: 2 of 6 steps are left."
    assert second.label not in [line.row.label for line in bench.lab.lines()]


def test_each_precision_of_the_context_has_its_line(bench: Bench, study: Study) -> None:
    """The original has a line at 16 bits, the reference of all comparisons."""
    plan = msgspec.structs.replace(study.plan, cache_bits=(16, 4))
    bench.lab.begin(msgspec.structs.replace(study, plan=plan))
    names = [line.name for line in bench.lab.lines()]
    assert names == ["original", "original, 4-bit KV", "a", "a, 4-bit KV", "b", "b, 4-bit KV"]
