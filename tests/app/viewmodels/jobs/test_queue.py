"""What goes on by itself, as the window tells it."""

from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app.viewmodels.jobs.items import item
from app.viewmodels.jobs.queue import Jobs
from mlx_engine.engine.parents.job_queue import Job
from mlx_engine.engine.values.job_kinds import QueuedRequest
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.hub_messages import Download
from mlx_engine.quantize.plan.messages import Convert, SourceProgress, UnquantizedTensor
from mlx_engine.quantize.recipes.builtin import recipe
from tests.app.fake_models import make_model
from tests.app.viewmodels.facet import Facet

TIMEOUT_MS = 20_000
NORMS = tuple(UnquantizedTensor(f"model.layers.{layer}.input_layernorm", "a norm") for layer in range(4))


class GivenBridge(QObject):
    """Has the jobs that it is given, in the place of a `JobBridge`."""

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
def bridge(facet: Facet) -> GivenBridge:
    return GivenBridge()


@pytest.fixture
def jobs(bridge: GivenBridge, facet: Facet) -> Jobs:
    return Jobs(bridge, facet.library)


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (Queued(), "4-bit · Waiting"),
        (Running(), "4-bit · Reading the model…"),
        (
            Running(250_000_000, 1_000_000_000, 50e6, 15.0),
            "4-bit · 250 MB of 1 GB · 50 MB/s · less than a minute left",
        ),
        (Paused(250_000_000, 1_000_000_000), "4-bit · Paused · 250 MB of 1 GB"),
        (Done("/made/Whale-4bit", 1_000_000_000, 4.5), "4-bit · In the library · 1 GB, 4.50 bits per weight"),
        (Failed("NoSpace", "Not enough disk space", "Make room."), "Not enough disk space"),
    ],
)
def test_a_conversion_says_how_it_stands(state: JobState, line: str) -> None:
    assert item(Job(conversion(), state)).line == line


def test_a_conversion_says_what_it_does_and_keeps() -> None:
    """The tensor at hand, what is lost, and what is left as it is: a line for each reason."""
    state = Running(tensor="lm_head.weight", notes=("vision_tower is left out.",), unquantized=NORMS)
    assert item(Job(conversion(), state)).details == (
        "Writing lm_head.weight",
        "vision_tower is left out.",
        "Not quantized: 4 tensors like model.layers.0.input_layernorm, a norm",
    )


def test_the_line_in_the_sidebar_says_what_goes_on(bridge: GivenBridge, jobs: Jobs) -> None:
    """What runs before what failed, what waits before what is paused; and nothing once all is done."""
    assert jobs.summary() == ""
    bridge.put(conversion(), Running(25, 100))
    bridge.put(conversion("Whale-8bit"), Queued())
    assert jobs.summary() == "Quantizing · 25% · 1 more"
    bridge.put(Download(id="d", repository="maker/Whale"), Running(75, 100))
    assert (jobs.summary(), jobs.share) == ("Working · 50% · 1 more", 0.5)
    bridge.cancel("d")
    bridge.put(conversion(), Failed("NoSpace", "", ""))
    assert jobs.summary() == "1 job failed"
    bridge.put(conversion(), Done("", 1))
    bridge.put(conversion("Whale-8bit"), Done("", 1))
    assert jobs.summary() == ""


def test_a_failure_is_told_once_a_try(bridge: GivenBridge, jobs: Jobs) -> None:
    told: list[str] = []
    jobs.failed.connect(lambda title, message: told.append(f"{title}: {message}"))
    failure = Failed("NoSpace", "Not enough disk space", "Make room.")
    for state in (Running(), failure, failure, Queued(), Running(), failure):
        bridge.put(conversion(), state)
    assert told == ["Whale-4bit was not made: Make room."] * 2


def test_what_was_made_is_told_once_the_library_has_it(
    bridge: GivenBridge, jobs: Jobs, facet: Facet, qtbot: QtBot
) -> None:
    """So that chatting with it can be offered at once."""
    made = make_model(facet.models, "maker/Whale-4bit")
    with qtbot.waitSignal(jobs.converted, timeout=TIMEOUT_MS) as told:
        bridge.put(conversion(), Done(str(made), 8192, 4.5))
    assert told.args[0] == "maker/Whale-4bit"
    assert jobs.model_of(jobs.items[0]) == "maker/Whale-4bit"
    jobs.clear_done()
    assert jobs.items == []
    assert Path(made).exists()


def test_a_conversion_says_how_far_its_download_is() -> None:
    """Both in one line; what takes longer tells the rest."""
    source = SourceProgress(id="w", done_bytes=4 * 10**9, total_bytes=16 * 10**9, bytes_per_s=5e7, remaining_s=240.0)
    state = Running(10**9, 5 * 10**9, 1e7, 60.0, source=source)
    assert item(Job(conversion(), state)).line.endswith(
        "4 GB of 16 GB downloaded · 1 GB of 5 GB written · 50 MB/s · about 4 min left"
    )
