import os
import subprocess
from pathlib import Path

import pytest

from mlx_engine import network
from mlx_engine.child_command import child_command
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import (
    Account,
    Download,
    Downloaded,
    Search,
    SearchFilters,
    SearchResults,
    SignIn,
    SignOut,
    WhoAmI,
)
from mlx_engine.protocol import RequestFailed
from tests.hub.faults import Refuse
from tests.hub.fixtures import add_model
from tests.hub.job_process import JobProcess
from tests.hub.server import Hub

SEARCH = Search("s", SearchFilters())
TOKEN = "hf_" + "secret" * 5

pytestmark = pytest.mark.process


def account(event: JobEvent) -> tuple[str, str]:
    assert isinstance(event, Account), event
    return event.name, event.source


def error(event: JobEvent) -> str:
    assert isinstance(event, RequestFailed), event
    return event.error


@pytest.fixture
def keyring_file(hub_environment: dict[str, str]) -> Path:
    return Path(hub_environment["FACET_TEST_KEYRING"])


def test_signing_in_stores_the_token_and_signing_out_deletes_it(hub: Hub, job: JobProcess, keyring_file: Path) -> None:
    """The next question uses the token too."""
    hub.tokens[TOKEN] = "ann"
    assert account(job.answer(WhoAmI("w"))) == ("", "")
    assert account(job.answer(SignIn("i", TOKEN))) == ("ann", "keychain")
    assert account(job.answer(WhoAmI("w"))) == ("ann", "keychain")
    assert TOKEN in keyring_file.read_text()
    assert account(job.answer(SignOut("o"))) == ("", "")
    assert TOKEN not in keyring_file.read_text()


@pytest.mark.parametrize("token", ["hf_unknown", "", "two words", "hf_\n", "h\u00e9"])
def test_an_invalid_token_is_not_stored(hub: Hub, job: JobProcess, keyring_file: Path, token: str) -> None:
    """Malformed tokens are rejected like unknown ones."""
    assert error(job.answer(SignIn("i", token))) == "WrongToken"
    assert not keyring_file.exists()


def test_a_rejected_token_is_described_by_its_origin(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HF_TOKEN is mentioned only if the token came from there, since signing in cannot replace it."""
    sign_in = start_job_process().answer(SignIn("i", TOKEN))
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    account = start_job_process().answer(WhoAmI("w"))
    assert isinstance(sign_in, RequestFailed)
    assert isinstance(account, RequestFailed)
    assert ("HF_TOKEN" in sign_in.message, "HF_TOKEN" in account.message) == (False, True)


def test_a_token_never_appears_in_output(hub: Hub, start_job_process: type[JobProcess], tmp_path: Path) -> None:
    """The log, the events and the repr of a request do not contain it."""
    hub.tokens[TOKEN] = "ann"
    process = start_job_process()
    events = [*process.run(SignIn("i", TOKEN)), *process.run(SEARCH)]
    hub.inject("/api/whoami", Refuse(500))
    events += process.run(WhoAmI("w"))
    process.close()
    assert TOKEN not in repr(events) + process.log.read_text()
    assert TOKEN not in repr(SignIn("i", TOKEN))


def test_a_token_from_the_environment_is_used_but_not_stored(
    hub: Hub, start_job_process: type[JobProcess], keyring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes precedence over the one in the keychain."""
    hub.tokens |= {TOKEN: "ann", "hf_other": "bob"}
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    process = start_job_process()
    process.answer(SignIn("i", TOKEN))
    assert account(process.answer(WhoAmI("w"))) == ("bob", "environment")
    assert "hf_other" not in keyring_file.read_text()


def test_everything_but_signing_in_works_without_a_keychain(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error suggests HF_TOKEN instead."""
    hub.tokens[TOKEN] = "ann"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    process = start_job_process()
    assert isinstance(process.answer(SEARCH), SearchResults)
    failure = process.answer(SignIn("i", TOKEN))
    assert isinstance(failure, RequestFailed)
    assert failure.error == "StorageError"
    assert "HF_TOKEN" in failure.message
    assert account(process.answer(SignOut("o"))) == ("", "")


def test_an_invalid_line_does_not_stop_the_process(hub: Hub) -> None:
    """Each invalid line gets an error that does not quote it, and the process serves the next line."""
    lines = b'rubbish hf_secret\n{"type":"download"}\n\xff\n{"type":"search","id":"s","filters":{}}\n'
    ended = subprocess.run(child_command("job"), input=lines, capture_output=True, env=dict(os.environ), check=True)
    # The process ends with its standard input, before the search is answered.
    replies = ended.stdout.splitlines()
    assert all(b'"type":"failed"' in line for line in replies[:3])
    assert b"hf_secret" not in ended.stdout + ended.stderr


def test_an_unreachable_hub_is_reported(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No server listens on that port."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert error(start_job_process().answer(Download(id="d", repository="a/b"))) == "NoNetwork"


def test_offline_connections_to_other_machines_are_refused_and_counted(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A remote Hub is refused before the name lookup; a Hub on loopback still works."""
    repository = add_model(hub, "job/offline")
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "1")
    logs = Folders.from_environment().logs
    before = network.refused_count(logs)
    assert isinstance(start_job_process().answer(Download(id="d", repository=repository.id)), Downloaded)
    assert network.refused_count(logs) == before

    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    assert error(start_job_process().answer(Download(id="d", repository="a/b"))) == "Offline"
    assert network.refused_count(logs) == before + 1
    assert "hub.invalid" in (logs / network.LOG_NAME).read_text()


def test_the_offline_variable_of_the_hub_library_is_respected(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HF_HUB_OFFLINE, set by the user."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert error(start_job_process().answer(Download(id="d", repository="a/b"))) == "Offline"
