"""Running a study, with real job processes and tiny models."""

import queue
import shlex
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from mlx_engine import protocol
from mlx_engine.engine.parents.client import Parcel
from mlx_engine.engine.parents.study_run import StudyRun
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.errors import RequestError
from mlx_engine.folders import Folders
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.messages import CorpusSource, SpeedProgress
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Study, ready_to_retry, remaining
from mlx_engine.measure.study.study_file import load_study, new_study
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.quantize.recipes import builtin
from tests import processes
from tests.mlx_engine.measure.study.test_study import speed


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "home"))
    return Folders.from_environment()


@pytest.fixture
def study(tiny_models: Path, tmp_path: Path, folders: Folders) -> Study:
    """A small llama, its conversion to 8 bits, and a model of another family."""
    text = tmp_path / "text.txt"
    text.write_text("The tide comes in twice a day, and takes back what it has left behind. " * 40)
    plan = StudyPlan(
        name="tiny study",
        original="llama",
        candidates=("gemma3",),
        recipes=("8bit",),
        corpus=CorpusSource(path=str(text)),
        convention=Convention(chunk_tokens=64),
        limit_tokens=256,
        speed=SpeedPlan(prompts=(32,), depths=(0,), decode_tokens=8, repetitions=1),
    )

    def find(name: str) -> ModelDescription:
        return describe(tiny_models / name, f"tiny/{name}")

    return new_study(plan, find=find, recipe=builtin.recipe, models=folders.models)


class _Owner:
    """The owner of a run: passes parcels to it."""

    def __init__(self, study: Study, folders: Folders) -> None:
        self._parcels: queue.SimpleQueue[Parcel[JobEvent]] = queue.SimpleQueue()
        self.run = StudyRun(
            study, post=self._parcels.put, on_event=lambda event: None, on_change=lambda: None, folders=folders
        )

    def work(self, until: Callable[[StudyRun], bool]) -> Study:
        """Start, and handle events until the condition holds, or the study is complete."""
        self.run.start()
        while self.run.step is not None and not until(self.run):
            self.run.receive(self._parcels.get(timeout=60))
        return self.run.study


def test_a_study_continues_after_a_failed_step(study: Study, folders: Folders) -> None:
    """Missing conversions are made, everything is measured, and the model of another family has a failure."""
    done = _Owner(study, folders).work(until=lambda run: False)
    other, conversion = done.candidates
    assert [failure.step for failure in other.failures] == ["fidelity"]
    assert conversion.size_bytes > 0
    assert conversion.fidelity_at(16) is not None
    assert all(row.speed for row in done.rows)
    assert load_study("tiny study", folders.studies) == done


def test_a_stopped_study_resumes(study: Study, folders: Folders) -> None:
    """Completed steps are on disk."""
    first = _Owner(study, folders)
    first.work(until=lambda run: run.study.reference_folder != "")
    first.run.close()
    saved = load_study("tiny study", folders.studies)
    assert saved.reference_folder
    assert "answers" not in [step.kind for step in remaining(saved)]


def test_closing_a_run_leaves_no_process(study: Study, folders: Folders) -> None:
    """Not even a busy one."""
    owner = _Owner(study, folders)
    before = processes.children()
    owner.run.start()
    assert processes.children() - before
    owner.run.close()
    assert processes.children() <= before


def test_a_running_study_is_not_started_twice(study: Study, folders: Folders) -> None:
    """The second run is refused until the first one has ended."""
    first, second = _Owner(study, folders), _Owner(study, folders)
    first.run.start()
    with pytest.raises(RequestError, match="already running"):
        second.run.start()
    first.run.close()
    second.run.start()
    second.run.close()


def test_a_killed_process_is_a_failed_step_that_a_later_run_retries(study: Study, folders: Folders) -> None:
    """The other steps continue."""
    plan = msgspec.structs.replace(study.plan, speed=None)
    study = msgspec.structs.replace(study, plan=plan, rows=(study.rows[0], study.rows[-1]))
    owner = _Owner(study, folders)
    before = processes.children()

    def kill(run: StudyRun) -> bool:
        step = run.step
        if step and (step.kind, step.label) == ("convert", study.rows[-1].label):
            for child in processes.children() - before:
                processes.kill(child)
        return False

    killed = owner.work(until=kill)
    assert [failure.title for failure in killed.rows[-1].failures] == ["The process ended"]
    assert killed.reference_folder
    again = _Owner(ready_to_retry(load_study("tiny study", folders.studies)), folders).work(until=lambda run: False)
    assert again.rows[-1].fidelity_at(16)
    assert again.reference_folder == killed.reference_folder


def test_a_dead_process_is_a_failed_step(study: Study, folders: Folders) -> None:
    """The next step runs."""
    parcels: queue.SimpleQueue[Parcel[JobEvent]] = queue.SimpleQueue()
    run = StudyRun(
        study,
        post=parcels.put,
        on_event=lambda event: None,
        on_change=lambda: None,
        folders=folders,
        command=["/bin/sh", "-c", "exit 3"],
    )
    run.start()
    while run.step is not None:
        run.receive(parcels.get(timeout=60))
    assert run.study.original.has_failed("reference")
    assert not list(remaining(run.study))


def test_speeds_measured_before_the_process_died_stay(study: Study, folders: Folders, tmp_path: Path) -> None:
    """A process may die while it measures speed, as when Metal fails on a long prompt."""
    measurement = speed(RateSeries(0, (9.0, 9.0)))
    event = SpeedProgress(id="", done=1, total=2, step="reading 8,192 tokens", so_far=measurement)
    (tmp_path / "event").write_bytes(protocol.encode(event))
    only = msgspec.structs.replace(study.original, recipe=None)
    plan = msgspec.structs.replace(study.plan, cache_bits=())
    study = msgspec.structs.replace(study, plan=plan, rows=(only,), reference_folder=str(tmp_path))
    parcels: queue.SimpleQueue[Parcel[JobEvent]] = queue.SimpleQueue()
    run = StudyRun(
        study,
        post=parcels.put,
        on_event=lambda event: None,
        on_change=lambda: None,
        folders=folders,
        command=["/bin/sh", "-c", f"read request; cat {shlex.quote(str(tmp_path / 'event'))}; kill -6 $$"],
    )
    run.start()
    while run.step is not None:
        run.receive(parcels.get(timeout=60))
    assert run.study.original.speed == measurement
    assert "signal 6" in run.study.original.failures[0].message
