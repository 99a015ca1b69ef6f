from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.questions import Questions
from mlx_engine import network
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.hub_messages import Account, ReadModel, Search, SearchFilters, SearchResults, WhoAmI
from mlx_engine.models.description.describe import describe
from mlx_engine.protocol import RequestFailed, new_id
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline
from tests.hub.faults import Hold
from tests.hub.fixtures import add_model
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.shards import split_weights

TIMEOUT_MS = 20_000


@pytest.fixture
def questions(qtbot: QtBot, tmp_path: Path) -> Iterator[Questions]:
    questions = Questions(tmp_path / "logs")
    yield questions
    questions.close()


@pytest.mark.process
def test_each_answer_goes_to_its_own_callback(qtbot: QtBot, hub: Hub, questions: Questions) -> None:
    """Two questions are open at the same time."""
    accounts: list[JobReply] = []
    results: list[JobReply] = []
    questions.ask(WhoAmI(new_id()), accounts.append)
    questions.ask(Search(new_id(), SearchFilters()), results.append)
    qtbot.waitUntil(lambda: bool(accounts and results), timeout=TIMEOUT_MS)
    assert [type(reply) for reply in (*accounts, *results)] == [Account, SearchResults]


@pytest.mark.process
def test_the_latest_question_drops_the_open_ones(qtbot: QtBot, hub: Hub, questions: Questions) -> None:
    """The Hub never answers the first question, and the second does not wait for it."""
    add_model(hub, "questions/card")
    hold = Hold(after_bytes=0)
    hub.inject("README.md", hold)
    replies: list[JobReply] = []
    questions.ask(ReadModel("slow", "questions/card"), replies.append)
    assert hold.reached.wait(20)
    questions.ask(WhoAmI("next"), replies.append, latest_only=True)
    qtbot.waitUntil(lambda: bool(replies), timeout=TIMEOUT_MS)
    assert [reply.id for reply in replies] == ["next"]


def test_a_process_that_cannot_start_fails_the_question(qtbot: QtBot, tmp_path: Path) -> None:
    """The failure arrives like any other, with the id of the question."""
    replies: list[JobReply] = []
    Questions(tmp_path, command=[str(tmp_path / "nothing")]).ask(WhoAmI("a"), replies.append)
    assert [(type(reply), reply.id) for reply in replies] == [(RequestFailed, "a")]


def test_a_repository_is_read_without_its_weights(
    qtbot: QtBot, hub: Hub, tiny_models: Path, questions: Questions
) -> None:
    """The result can be described like any model; a missing repository is a failure."""
    repository = Repository("questions/remote")
    repository.commit(split_weights(tiny_models / "llama", 3))
    hub.add(repository)
    replies: list[JobReply] = []
    for name in (repository.id, "questions/nowhere"):
        questions.ask(ReadOutline(new_id(), repository=name), replies.append)
    qtbot.waitUntil(lambda: len(replies) == 2, timeout=TIMEOUT_MS)
    outline, failure = replies
    assert isinstance(outline, OutlineRead)
    assert describe(Path(outline.path), repository.id).architecture == outline.outline.architecture
    assert isinstance(failure, RequestFailed)
    assert failure.error == "HubNotFound"


@pytest.mark.process
def test_the_offline_switch_applies_to_the_next_question(
    qtbot: QtBot, hub: Hub, questions: Questions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process started online is replaced."""
    replies: list[JobReply] = []
    questions.ask(Search(new_id(), SearchFilters()), replies.append)
    qtbot.waitUntil(lambda: len(replies) == 1, timeout=TIMEOUT_MS)
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    questions.ask(Search(new_id(), SearchFilters()), replies.append)
    qtbot.waitUntil(lambda: len(replies) == 2, timeout=TIMEOUT_MS)
    online, offline = replies
    assert isinstance(online, SearchResults)
    assert isinstance(offline, RequestFailed)
    assert offline.error == "Offline"
