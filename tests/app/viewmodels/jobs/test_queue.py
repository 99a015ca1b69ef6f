"""Tests of the queue of background jobs as the window shows it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app.viewmodels.jobs.items import job_item
from app.viewmodels.jobs.queue import Jobs
from mlx_engine.engine.parents.job_queue import Job
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.quantize.plan.messages import Convert, SourceProgress, UnquantizedTensor
from mlx_engine.quantize.recipes.builtin import recipe
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import Facet

TIMEOUT_MS = 20_000
NORMS = tuple(UnquantizedTensor(f"model.layers.{layer}.input_layernorm", "a norm") for layer in range(4))


class FakeJobBridge(QObject):
    """Replaces a `JobBridge`; its jobs are set by the test."""

    changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.by_id: dict[str, Job] = {}
        self.tails: dict[str, str] = {}

    @property
    def jobs(self) -> list[Job]:
        return list(self.by_id.values())

    def job(self, id: str) -> Job | None:
        return self.by_id.get(id)

    def log_tail(self, id: str) -> str:
        return self.tails.get(id, "")

    def put(self, request: QueuedRequest, state: JobState) -> None:
        self.by_id[request.id] = Job(request, state)
        self.changed.emit(request.id)

    def cancel(self, id: str) -> None:
        del self.by_id[id]
        self.changed.emit(id)


def conversion(name: str = "Whale-4bit") -> Convert:
    return Convert(
        id=name, source="/models/Whale", target=f"/made/{name}", model_id=f"maker/{name}", recipe=recipe("4bit")
    )


@pytest.fixture
def bridge(facet: Facet) -> FakeJobBridge:
    return FakeJobBridge()


@pytest.fixture
def jobs(bridge: FakeJobBridge, facet: Facet) -> Jobs:
    return Jobs(bridge, facet.library)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (Queued(), "4-bit · Waiting"),
        (Running(), "4-bit · Reading the model…"),
        (
            Running(250_000_000, 1_000_000_000, 50e6, 15.0),
            "4-bit · 250 MB of 1 GB · 50 MB/s · less than a minute left",
        ),
        (Paused(250_000_000, 1_000_000_000), "4-bit · Paused · 250 MB of 1 GB"),
        (Done("/made/Whale-4bit", 1_000_000_000, 4.5), "4-bit · Added to your library · 1 GB, 4.50 bits per weight"),
        (Failed("NoSpace", "Not enough disk space", "Make room."), "Not enough disk space"),
    ],
)
def test_a_conversion_shows_its_status(state: JobState, status: str) -> None:
    assert job_item(Job(conversion(), state)).status == status


def test_a_conversion_shows_its_details() -> None:
    """They are the current tensor, the notes, and a line for each reason that tensors are not quantized."""
    state = Running(tensor="lm_head.weight", notes=("vision_tower is left out.",), unquantized=NORMS)
    assert job_item(Job(conversion(), state)).details == (
        "Writing lm_head.weight",
        "vision_tower is left out.",
        "Not quantized: 4 tensors like model.layers.0.input_layernorm, a norm",
    )


def test_a_failure_is_reported_once_per_attempt(bridge: FakeJobBridge, jobs: Jobs) -> None:
    messages: list[str] = []
    jobs.failed.connect(lambda title, message: messages.append(f"{title}: {message}"))
    failure = Failed("NoSpace", "Not enough disk space", "Make room.")
    for state in (Running(), failure, failure, Queued(), Running(), failure):
        bridge.put(conversion(), state)
    assert messages == ["Couldn't create Whale-4bit: Make room."] * 2


def test_a_conversion_is_reported_once_it_is_in_the_library(
    bridge: FakeJobBridge, jobs: Jobs, facet: Facet, qtbot: QtBot
) -> None:
    """The user can chat with it at once."""
    model = make_model(facet.models, "maker/Whale-4bit")
    with qtbot.waitSignal(jobs.converted, timeout=TIMEOUT_MS) as converted:
        bridge.put(conversion(), Done(str(model), 8192, 4.5))
    assert converted.args[0] == "maker/Whale-4bit"
    assert jobs.model_of(jobs.items[0]) == "maker/Whale-4bit"
    jobs.clear_done()
    assert jobs.items == []
    assert Path(model).exists()


def test_a_conversion_shows_the_progress_of_its_download() -> None:
    """One line has both; the remaining time is that of the slower one."""
    source = SourceProgress(id="w", done_bytes=4 * 10**9, total_bytes=16 * 10**9, bytes_per_s=5e7, remaining_s=240.0)
    state = Running(10**9, 5 * 10**9, 1e7, 60.0, source=source)
    assert job_item(Job(conversion(), state)).status.endswith(
        "4 GB of 16 GB downloaded · 1 GB of 5 GB written · 50 MB/s · about 4 min left"
    )
