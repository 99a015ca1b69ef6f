"""The studies on this Mac, and the running one."""

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
from tests.app.fake_study_bridge import FakeStudyBridge
from tests.mlx_engine.measure.charts.studies import FEW, fidelity
from tests.mlx_engine.measure.charts.studies import study as measured
from tests.mlx_engine.measure.study.test_study import result, speed

RECORDED = ReferenceRecorded(id="", reference_folder="/references", size_bytes=1, share=0.1)


@pytest.fixture
def folders(qapp: object, tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


@pytest.fixture
def study() -> Study:
    """Return a study with an original and two candidates, without results."""
    rows = (Row(label="maker/Whale", path="w", is_original=True), *(Row(label=f"maker/{n}", path=n) for n in "ab"))
    return Study(plan=StudyPlan(name="Whales", original="maker/Whale", candidates=("a", "b"), speed=None), rows=rows)


class FakeContention:
    """Blocks the kinds of steps that the test adds to `blocked`."""

    slowdown = ""

    def __init__(self) -> None:
        self.blocked: set[StepKind] = set()
        self.freed_for: list[str] = []

    def blocked_by(self, _study: Study, step: Step, *, is_running: bool) -> str:
        return f"{'other work' if is_running else 'a conversion'} to finish" if step.kind in self.blocked else ""

    def free_memory(self, study: Study) -> None:
        self.freed_for.append(study.plan.name)


class Bench:
    """A lab with fakes around it; `problems` has the reported messages."""

    def __init__(self, folders: Folders) -> None:
        self.runner, self.contention = FakeStudyBridge(), FakeContention()
        self.lab = Lab(
            StudyStore(folders),
            self.runner,
            default_speeds(has_metal=True),
            available_bytes=10**9,
            contention=self.contention,
        )
        self.problems: list[str] = []
        self.lab.problem.connect(lambda title, message: self.problems.append(message))

    def line(self, name: str) -> StudyLine:
        return next(line for line in self.lab.lines() if line.row.label == f"maker/{name}")

    def measure(self, kl: float) -> None:
        """Finish the current step with this mean KL."""
        assert self.runner.step
        self.runner.end_step(FidelityMeasured("", result(kl, self.runner.step.label)))


@pytest.fixture
def bench(folders: Folders) -> Bench:
    return Bench(folders)


def test_a_line_shows_preliminary_fidelity(bench: Bench, study: Study) -> None:
    """It is replaced by the complete result."""
    bench.lab.add(study)
    bench.runner.end_step(RECORDED)
    bench.runner.emit_event(FidelityProgress(id="", done=3, total=8, so_far=fidelity(0.02, 0.1)))
    line = bench.line("a")
    assert line.is_preliminary
    assert line.sample.fidelity
    assert line.sample.fidelity.mean_kl == 0.02
    assert "3 of 8" in line.note
    bench.measure(0.03)
    assert not bench.line("a").is_preliminary
    assert bench.line("a").note.startswith("About 10 of 100 next words")


def test_a_line_shows_preliminary_speed(bench: Bench, study: Study) -> None:
    """Each rate appears as soon as it is measured."""
    bench.lab.add(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, speed=SpeedPlan())))
    bench.runner.end_step(RECORDED)
    so_far = speed(RateSeries(0, (9.0, 9.0)))
    bench.runner.emit_event(SpeedProgress(id="", done=1, total=8, step="decoding", so_far=so_far))
    decode_speed = DECODE_SPEED.measured(bench.line("Whale").sample)
    assert decode_speed
    assert decode_speed.value == 9.0
    assert bench.line("Whale").note == "Measuring speed: decoding"


def test_a_failure_does_not_stop_the_study(bench: Bench, study: Study) -> None:
    """Its line has the reason, and the study can be tried again."""
    bench.lab.add(study)
    bench.runner.end_step(RECORDED)
    bench.runner.fail("Another vocabulary", "Choose a conversion of this original.")
    assert bench.line("a").failure
    assert bench.line("a").failure == "Another vocabulary. Choose a conversion of this original."
    bench.measure(0.01)
    assert bench.line("b").sample.fidelity
    assert (bench.lab.status.is_running, bench.lab.status.start_label) == (False, "Try Again")
    bench.lab.resume()
    assert not bench.line("a").failure


def test_candidates_of_a_failed_original_do_not_wait(bench: Bench, study: Study) -> None:
    bench.lab.add(study)
    bench.runner.fail("Too large", "Choose a smaller original.")
    assert bench.line("a").note == "Not compared: the original could not be read"


def test_a_paused_study_resumes(bench: Bench, study: Study) -> None:
    bench.lab.add(study)
    bench.runner.end_step(RECORDED)
    bench.measure(0.01)
    bench.lab.pause()
    assert bench.lab.status.text == "Paused: 1 of 3 steps left."
    bench.lab.resume()
    assert bench.runner.step
    assert bench.runner.step.label == "maker/b"


def test_an_interrupted_study_is_offered(bench: Bench, folders: Folders, study: Study) -> None:
    """Not if the user paused it."""
    bench.lab.add(study)
    assert Bench(folders).lab.interrupted == "Whales"
    bench.lab.pause()
    assert Bench(folders).lab.interrupted == ""


def test_a_study_waits_for_a_conversion(bench: Bench, study: Study) -> None:
    """Two models may not fit into memory. It starts by itself afterwards."""
    bench.contention.blocked.add("reference")
    bench.lab.add(study)
    assert bench.runner.step is None
    assert bench.lab.status.text == "Waiting for a conversion to finish."
    bench.contention.blocked.clear()
    bench.lab.advance()
    assert bench.runner.step
    assert bench.contention.freed_for == ["Whales"]


def test_a_blocked_speed_measurement_starts_over(bench: Bench, study: Study) -> None:
    """Other results stay. A study that waits like this is offered again after a restart."""
    with_speed = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, speed=SpeedPlan()))
    bench.lab.add(with_speed)
    bench.runner.end_step(RECORDED)
    assert bench.runner.step
    assert bench.runner.step.kind == "speed"
    bench.contention.blocked.add("speed")
    bench.lab.advance()
    assert (bench.runner.step, bench.lab.running, bench.lab.is_running) == (None, "", True)
    assert bench.lab.status.text == "Waiting for a conversion to finish."
    assert bench.lab.interrupted == "Whales"
    bench.contention.blocked.clear()
    bench.lab.advance()
    assert bench.runner.step.kind == "speed"
    assert bench.lab.study
    assert bench.lab.study.reference_folder


def test_one_study_runs_at_a_time(bench: Bench, study: Study) -> None:
    """The next one starts when the first is finished or paused."""
    bench.lab.add(study)
    second = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name="Dolphins"))
    bench.lab.add(second)
    assert bench.lab.running == "Whales"
    assert "Waiting for “Whales” to finish" in bench.lab.status.text
    bench.lab.open("Whales")
    bench.lab.pause()
    assert bench.lab.running == "Dolphins"
    assert bench.lab.status.start_label == "Resume"


def test_a_waiting_study_can_be_paused(bench: Bench, study: Study) -> None:
    """The running one continues."""
    bench.lab.add(study)
    bench.lab.add(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name="Dolphins")))
    bench.lab.pause()
    assert (bench.lab.running, bench.lab.status.start_label) == ("Whales", "Resume")


def test_changes_by_the_command_line_are_loaded(bench: Bench, folders: Folders, study: Study) -> None:
    """Except to running studies."""
    bench.lab.add(study)
    other = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name="Dolphins"))
    StudyStore(folders).save(other)
    StudyStore(folders).delete("Whales")
    bench.lab.refresh()
    assert set(bench.lab.names) == {"Whales", "Dolphins"}
    bench.lab.pause()
    bench.lab.refresh()
    assert bench.lab.names == ["Dolphins"]
    assert bench.lab.study == other


def test_the_best_model_within_limits_is_named(bench: Bench) -> None:
    """Its line is marked. Without limits, none is marked."""
    bench.lab.add(msgspec.structs.replace(measured(FEW), reference_folder="x"))
    assert bench.lab.judgement == ""
    bench.lab.set_gates(Gates(max_mean_kl=0.05))
    assert bench.lab.judgement == "Best within limits: 4-bit, the fastest of 2."
    assert [line.name for line in bench.lab.lines() if line.is_best] == ["4-bit"]
    bench.lab.set_gates(Gates(max_mean_kl=0.0001))
    assert bench.lab.judgement.startswith("No model meets your limits")


def test_limits_can_be_set_while_a_study_runs(bench: Bench, study: Study) -> None:
    """They apply to later results, too."""
    bench.lab.add(study)
    bench.lab.set_gates(Gates(max_mean_kl=0.05, prefer="closest"))
    bench.runner.end_step(RECORDED)
    bench.measure(0.01)
    assert bench.lab.judgement == "Best within limits: a, the only one."


def test_a_study_can_be_renamed(bench: Bench, folders: Folders, study: Study) -> None:
    bench.lab.add(study)
    bench.lab.pause()
    bench.lab.rename("Whales", "Large animals")
    assert StudyStore(folders).names == ["Large animals"]


def test_the_names_of_studies_are_unique(bench: Bench, study: Study) -> None:
    """Names with the same file name count as equal."""
    for name in ("Whales", "Dolphins"):
        bench.lab.add(msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, name=name)))
    bench.lab.pause()
    bench.lab.rename("Dolphins", "whales")
    assert "already" in bench.problems[0]
    assert set(bench.lab.names) == {"Whales", "Dolphins"}


def test_a_new_study_does_not_replace_another(bench: Bench, folders: Folders, study: Study) -> None:
    """Nor one that the command line has just started."""
    StudyStore(folders).save(msgspec.structs.replace(study, reference_folder="recorded before"))
    assert not bench.lab.add(study)
    assert "already" in bench.problems[0]
    stored = StudyStore(folders).get("Whales")
    assert stored
    assert stored.reference_folder == "recorded before"


def test_a_running_study_can_be_deleted(bench: Bench, folders: Folders, study: Study) -> None:
    bench.lab.add(study)
    bench.lab.delete("Whales")
    assert (bench.lab.study, bench.runner.step) == (None, None)
    assert StudyStore(folders).names == []


def test_a_model_can_be_measured_again_or_removed(bench: Bench) -> None:
    finished = msgspec.structs.replace(measured(FEW), reference_folder="x")
    bench.lab.add(finished)
    first, second = finished.candidates[:2]
    bench.lab.discard_results(first.label)
    bench.lab.remove_row(second.label)
    assert bench.lab.status.text == "Paused: 2 of 6 steps left."
    assert second.label not in [line.row.label for line in bench.lab.lines()]


def test_each_cache_precision_has_its_line(bench: Bench, study: Study) -> None:
    """The original has a line at 16 bits, the reference of all comparisons."""
    plan = msgspec.structs.replace(study.plan, cache_bits=(16, 4))
    bench.lab.add(msgspec.structs.replace(study, plan=plan))
    names = [line.name for line in bench.lab.lines()]
    assert names == ["original", "original, 4-bit KV", "a", "a, 4-bit KV", "b", "b, 4-bit KV"]
