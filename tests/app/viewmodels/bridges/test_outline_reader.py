"""Of what a model consists, as the window learns it from a process."""

from pathlib import Path

from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.outline_reader import OutlineReader
from mlx_engine.hub_messages import JobFailed
from mlx_engine.models.description.describe import describe
from mlx_engine.quantize.plan.messages import OutlineRead
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.sharded import in_shards


def test_a_repository_is_read_without_its_weights(qtbot: QtBot, hub: Hub, tiny_models: Path, tmp_path: Path) -> None:
    """What comes can be described like any model; what is not there is a failure."""
    repository = Repository("reader/remote")
    repository.commit(in_shards(tiny_models / "llama", 3))
    hub.add(repository)
    reader = OutlineReader(tmp_path)
    answers: list[OutlineRead | JobFailed] = []
    reader.read_repository(repository.id, answers.append)
    qtbot.waitUntil(lambda: len(answers) == 1, timeout=20_000)
    reader.read_repository("reader/nowhere", answers.append)
    qtbot.waitUntil(lambda: len(answers) == 2, timeout=20_000)
    reader.close()
    read, failed = answers
    assert isinstance(read, OutlineRead)
    assert describe(Path(read.path), repository.id).architecture == read.outline.architecture
    assert isinstance(failed, JobFailed)
    assert failed.error == "HubNotFound"
