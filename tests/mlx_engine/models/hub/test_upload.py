"""Tests of publishing to the test Hub by a real job process."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.hub_messages import SignIn, Waiting
from mlx_engine.models.hub.upload_messages import (
    InspectTarget,
    Publish,
    Published,
    PublishPlanned,
    PublishProgress,
    PublishTarget,
)
from mlx_engine.protocol import RequestFailed
from tests.conversions import write_conversion
from tests.hub.faults import Cut, Fault, Hold, Refuse
from tests.hub.fixtures import add_model
from tests.hub.job_process import JobProcess
from tests.hub.repository import Repository
from tests.hub.server import Hub

TOKEN = "hf_writing"  # noqa: S105 - valid only for the test Hub
NAME = "ada/Whale-4bit"
CARD = "---\nlicense: apache-2.0\n---\n# Whale\n"
SENT = {"README.md", "config.json", "facet.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_conversion(tmp_path / "models" / "ada" / "Whale-4bit", megabytes=3)


@pytest.fixture(autouse=True)
def signed_in(hub: Hub, job: JobProcess) -> None:
    hub.tokens[TOKEN] = "ada"
    job.run(SignIn("sign-in", TOKEN))
    hub.requests.clear()


def request(folder: Path, **changes: object) -> Publish:
    values = {"id": "p", "folder": str(folder), "repository": NAME, "card": CARD}
    return Publish(**(values | changes))  # type: ignore[arg-type]


def failed(event: JobEvent, error: str) -> str:
    """Return the message of a failure with this class."""
    assert isinstance(event, RequestFailed), event
    assert event.error == error
    return event.message


def stored(hub: Hub) -> dict[str, bytes]:
    repository = hub.repositories[NAME]
    return {name: file.read() for name, file in repository.commits[repository.main].items()}


def sent_files(hub: Hub) -> int:
    return sum(seen.method == "PUT" for seen in hub.requests)


@pytest.mark.parametrize("accepts_parts", [False, True])
def test_a_conversion_is_published(hub: Hub, job: JobProcess, folder: Path, *, accepts_parts: bool) -> None:
    """Exactly the weights, configuration, tokenizer, card and facet.json; private by default."""
    hub.accepts_parts = accepts_parts
    events = job.run(request(folder))
    assert isinstance(events[-1], Published), events[-1]
    files = stored(hub)
    assert files.keys() - {".gitattributes"} == SENT
    assert files["model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert files["README.md"] == CARD.encode()
    assert hub.repositories[NAME].private
    assert events[-1].address.endswith(NAME)


def test_progress_adds_up_to_the_plan(hub: Hub, job: JobProcess, folder: Path) -> None:
    plan, *steps, end = job.run(request(folder))
    assert isinstance(plan, PublishPlanned)
    assert isinstance(end, Published)
    assert plan.missing_bytes == plan.total_bytes == sum(file.total_bytes for file in plan.files) == end.size_bytes
    done = [step.done_bytes for step in steps if isinstance(step, PublishProgress)]
    assert done == sorted(done)
    assert (folder / "model.safetensors").stat().st_size <= done[-1] <= plan.total_bytes


def test_nothing_is_sent_twice(hub: Hub, job: JobProcess, folder: Path) -> None:
    """Publishing again makes no commit; a new card is the only file sent."""
    job.run(request(folder))
    first = hub.repositories[NAME].main
    hub.requests.clear()
    again = job.answer(request(folder))
    assert isinstance(again, Published)
    assert again.commit == first
    plan, *_, end = job.run(request(folder, card=CARD + "More.\n"))
    assert isinstance(plan, PublishPlanned)
    assert isinstance(end, Published)
    assert plan.missing_bytes == len(CARD) + len("More.\n")
    assert not sent_files(hub)
    assert stored(hub)["README.md"].endswith(b"More.\n")


def test_a_killed_upload_is_resumed(
    hub: Hub, folder: Path, start_job_process: Callable[[], JobProcess], job: JobProcess
) -> None:
    """Files in the storage are not sent again; nothing is visible before the end."""
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    write_conversion(folder.with_name("other"), megabytes=3)
    (folder.with_name("other") / "model.safetensors").rename(folder / "model-00002-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": {name: f"model-{name}-of-00002.safetensors" for name in ("00001", "00002")}})
    )
    hold = Hold(1 << 20)
    hub.inject("/store/", hold, times=1)
    process = start_job_process()
    process.send(request(folder))
    assert hold.reached.wait(20)
    process.until(lambda event: isinstance(event, PublishProgress) and bool(hub.stored))
    process.kill()
    assert stored(hub).keys() == {".gitattributes"}
    stored_files = len(hub.stored)
    hub.requests.clear()
    plan, *_, end = job.run(request(folder))
    assert isinstance(end, Published), end
    assert isinstance(plan, PublishPlanned)
    assert plan.missing_bytes < plan.total_bytes
    assert sent_files(hub) == 2 - stored_files == 1


@pytest.mark.parametrize("fault", [Cut(1 << 20), Refuse(500), Refuse(503)])
def test_a_dropped_connection_is_retried(hub: Hub, job: JobProcess, folder: Path, fault: Fault) -> None:
    """The wait is reported."""
    hub.inject("/store/", fault)
    events = job.run(request(folder))
    assert any(isinstance(event, Waiting) for event in events)
    assert isinstance(events[-1], Published), events[-1]


def test_the_token_is_sent_only_to_the_hub(hub: Hub, job: JobProcess, folder: Path) -> None:
    """It is neither sent to the large-file storage nor logged."""
    job.run(request(folder))
    puts = [seen for seen in hub.requests if seen.method == "PUT"]
    assert puts
    assert not any(seen.authorization for seen in puts)
    assert not job.log.exists() or TOKEN not in job.log.read_text()


def test_publishing_requires_an_account(
    hub: Hub, folder: Path, start_job_process: Callable[[], JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACET_TEST_KEYRING", str(folder.with_name("empty.json")))
    process = start_job_process()
    assert "Sign in" in failed(process.answer(request(folder)), "NeedsToken")
    assert not hub.requests_to("/create")


def test_a_read_only_token_is_refused_before_anything_is_sent(hub: Hub, job: JobProcess, folder: Path) -> None:
    hub.read_only_tokens.add(TOKEN)
    assert "no write permission" in failed(job.answer(request(folder)), "ReadOnlyToken")
    assert {seen.method for seen in hub.requests} == {"GET"}


def test_only_repositories_of_the_account_can_be_written(hub: Hub, job: JobProcess, folder: Path) -> None:
    """These include repositories of its organizations."""
    failed(job.answer(request(folder, repository="bob/Whale")), "ReadOnlyToken")
    hub.organizations["ada"] = ("sea-lab",)
    assert isinstance(job.answer(request(folder, repository="sea-lab/Whale")), Published)


def test_another_model_is_overwritten_only_on_request(hub: Hub, job: JobProcess, folder: Path) -> None:
    """Its weights are deleted then."""
    add_model(hub, NAME)
    repository = hub.repositories[NAME]
    repository.commit({**repository.commits[repository.main], "model-00001-of-00002.safetensors": b"old"})
    before = repository.main
    assert "another model" in failed(job.answer(request(folder, is_public=True)), "NameTaken")
    assert repository.main == before
    assert isinstance(job.answer(request(folder, is_public=True, updates=True)), Published)
    assert "model-00001-of-00002.safetensors" not in stored(hub)


def test_the_visibility_of_an_existing_repository_is_not_changed(hub: Hub, job: JobProcess, folder: Path) -> None:
    add_model(hub, NAME)
    assert "is public, not private" in failed(job.answer(request(folder)), "NameTaken")


def test_a_name_that_was_just_taken_is_reported(hub: Hub, job: JobProcess, folder: Path) -> None:
    hub.inject("/api/repos/create", Refuse(409))
    assert "already" in failed(job.answer(request(folder)), "NameTaken")


@pytest.mark.parametrize(
    ("path", "fault", "error"),
    [
        ("/store/", Refuse(413), "HubFull"),
        ("/commit/", Refuse(413), "HubFull"),
        ("/api/repos/create", Refuse(403, message="Private repository storage limit reached"), "HubFull"),
        ("/api/repos/create", Refuse(403), "ReadOnlyToken"),
        ("/commit/", Refuse(401, message="Invalid credentials in Authorization header"), "WrongToken"),
        ("/commit/", Refuse(500), "HubBusy"),
        ("/objects/batch", Refuse(400), "HubError"),
    ],
)
def test_a_refusal_raises_the_matching_error(
    hub: Hub, job: JobProcess, folder: Path, path: str, fault: Fault, error: str
) -> None:
    """Nothing of the model is visible afterward."""
    hub.inject(path, fault)
    assert failed(job.answer(request(folder)), error).endswith(".")
    assert NAME not in hub.repositories or stored(hub).keys() == {".gitattributes"}


@pytest.mark.parametrize("offset", [0, -8])
def test_a_model_that_changes_during_the_upload_is_not_published(
    hub: Hub, tmp_path: Path, job: JobProcess, offset: int
) -> None:
    """The error names the file, even if the storage detects the change first, by the checksum."""
    folder = write_conversion(tmp_path / "models" / "ada" / "Large-4bit", megabytes=20)  # More than sockets buffer.
    hold = Hold(1 << 20)
    hub.inject("/store/", hold)
    job.send(request(folder))
    assert hold.reached.wait(20)
    with (folder / "model.safetensors").open("r+b") as file:
        file.seek(offset, os.SEEK_SET if offset >= 0 else os.SEEK_END)
        file.write(b"\0" * 8)
    hold.released.set()
    end = job.until(lambda event: isinstance(event, RequestFailed | Published))[-1]
    assert "has changed" in failed(end, "StorageError")
    assert stored(hub).keys() == {".gitattributes"}


def test_a_commit_made_during_the_upload_is_not_overwritten(hub: Hub, folder: Path, job: JobProcess) -> None:
    """Otherwise the repository could contain a mix of two models."""
    job.run(request(folder))
    hold = Hold(1)
    hub.inject("/commit/", hold)
    job.send(request(folder, card=CARD + "More.\n"))
    assert hold.reached.wait(20)
    repository = hub.repositories[NAME]
    commit = repository.commit({**repository.commits[repository.main], "model.safetensors": b"other weights"})
    hold.released.set()
    end = job.until(lambda event: isinstance(event, RequestFailed | Published))[-1]
    assert "changed on the Hub" in failed(end, "HubError")
    assert repository.main == commit


def test_nothing_is_published_offline(
    folder: Path, start_job_process: Callable[[], JobProcess], monkeypatch: pytest.MonkeyPatch, hub: Hub
) -> None:
    """The Hub's address is not on this Mac."""
    monkeypatch.setenv("FACET_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    failed(start_job_process().answer(request(folder)), "Offline")


def test_inspecting_the_target_sends_nothing(hub: Hub, job: JobProcess, folder: Path) -> None:
    """It returns the account, the existing contents, and the files to upload."""
    question = InspectTarget(id="l", folder=str(folder), repository=NAME, card=CARD)
    target = job.answer(question)
    assert isinstance(target, PublishTarget)
    assert (target.account, target.exists, target.is_public, target.contents) == ("ada", False, False, "nothing")
    assert {file.name for file in target.files} == SENT
    assert {seen.method for seen in hub.requests} == {"GET"}
    job.run(request(folder))
    target = job.answer(question)
    assert isinstance(target, PublishTarget)
    assert (target.exists, target.contents) == (True, "this model")


def test_an_invalid_name_is_refused(hub: Hub, job: JobProcess, folder: Path) -> None:
    for name in ("whale", "ada/whale/4bit", "ada/..", ""):
        failed(job.answer(request(folder, repository=name)), "HubNotFound")


def test_an_empty_repository_is_filled(hub: Hub, job: JobProcess, folder: Path) -> None:
    """It was created on the Hub by the user, or by an interrupted upload."""
    repository = hub.add(Repository(NAME, private=True))
    repository.commit({".gitattributes": b""})
    hub.accepted.add(("ada", NAME))
    assert isinstance(job.answer(request(folder)), Published)
