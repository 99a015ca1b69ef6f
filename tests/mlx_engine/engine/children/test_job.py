import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine import network
from mlx_engine.engine.values.job_messages import JobEvent
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import (
    Account,
    Download,
    Downloaded,
    JobFailed,
    Search,
    SearchFilters,
    SearchResults,
    SignIn,
    SignOut,
    WhoAmI,
)
from tests.hub.faults import Refuse
from tests.hub.fixtures import add_model
from tests.hub.job_process import JobProcess
from tests.hub.server import Hub

SEARCH = Search("s", SearchFilters())
TOKEN = "hf_" + "secret" * 5


def account(event: JobEvent) -> tuple[str, str]:
    assert isinstance(event, Account), event
    return event.name, event.source


def error(event: JobEvent) -> str:
    assert isinstance(event, JobFailed), event
    return event.error


@pytest.fixture
def keyring_file(hub_environment: dict[str, str]) -> Path:
    return Path(hub_environment["FACET_TEST_KEYRING"])


def test_a_token_is_tried_then_kept_then_forgotten(hub: Hub, job: JobProcess, keyring_file: Path) -> None:
    """Signed in as its owner, also for the next question; signed out, nothing is left."""
    hub.tokens[TOKEN] = "ann"
    assert account(job.answer(WhoAmI("w"))) == ("", "")
    assert account(job.answer(SignIn("i", TOKEN))) == ("ann", "keychain")
    assert account(job.answer(WhoAmI("w"))) == ("ann", "keychain")
    assert TOKEN in keyring_file.read_text()
    assert account(job.answer(SignOut("o"))) == ("", "")
    assert TOKEN not in keyring_file.read_text()


@pytest.mark.parametrize("token", ["hf_unknown", "", "two words", "hf_\n", "h\u00e9"])
def test_a_token_that_the_hub_does_not_know_is_not_kept(
    hub: Hub, job: JobProcess, keyring_file: Path, token: str
) -> None:
    """Neither are those that can be none."""
    assert error(job.answer(SignIn("i", token))) == "WrongToken"
    assert not keyring_file.exists()


def test_a_token_that_is_refused_is_called_by_where_it_is(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was just given has nothing to do with HF_TOKEN; one from there cannot be replaced by signing in."""
    given = start_job_process().answer(SignIn("i", TOKEN))
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    found = start_job_process().answer(WhoAmI("w"))
    assert isinstance(given, JobFailed)
    assert isinstance(found, JobFailed)
    assert ("HF_TOKEN" in given.message, "HF_TOKEN" in found.message) == (False, True)


def test_a_token_is_never_written_down(hub: Hub, start_job_process: type[JobProcess], tmp_path: Path) -> None:
    """Neither in a log, nor in an event, nor in what a programmer prints."""
    hub.tokens[TOKEN] = "ann"
    process = start_job_process()
    events = [*process.run(SignIn("i", TOKEN)), *process.run(SEARCH)]
    hub.order("/api/whoami", Refuse(500))
    events += process.run(WhoAmI("w"))
    process.close()
    assert TOKEN not in repr(events) + process.log.read_text()
    assert TOKEN not in repr(SignIn("i", TOKEN))


def test_a_token_of_the_environment_is_used_and_not_kept(
    hub: Hub, start_job_process: type[JobProcess], keyring_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes before the one in the keychain."""
    hub.tokens |= {TOKEN: "ann", "hf_other": "bob"}
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    process = start_job_process()
    process.answer(SignIn("i", TOKEN))
    assert account(process.answer(WhoAmI("w"))) == ("bob", "environment")
    assert "hf_other" not in keyring_file.read_text()


def test_a_machine_without_a_keychain_works(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but keeping a token, which says what to do instead."""
    hub.tokens[TOKEN] = "ann"
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    process = start_job_process()
    assert isinstance(process.answer(SEARCH), SearchResults)
    failure = process.answer(SignIn("i", TOKEN))
    assert isinstance(failure, JobFailed)
    assert failure.error == "StorageError"
    assert "HF_TOKEN" in failure.message
    assert account(process.answer(SignOut("o"))) == ("", "")


def test_a_line_that_is_no_request_does_not_stop_the_process(hub: Hub) -> None:
    """It is answered with an error that does not repeat it; the next one is served; the end is an end."""
    lines = b'rubbish hf_secret\n{"type":"download"}\n\xff\n{"type":"search","id":"s","filters":{}}\n'
    ended = subprocess.run(
        [sys.executable, "-m", "mlx_engine", "job"], input=lines, capture_output=True, env=dict(os.environ), check=True
    )
    # Standard input ends before the search is answered, and with it the process: what came before is told.
    told = ended.stdout.splitlines()
    assert all(b"job_failed" in line for line in told[:3])
    assert b"hf_secret" not in ended.stdout + ended.stderr


def test_without_a_network_the_error_says_so(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens at that port."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert error(start_job_process().answer(Download(id="d", repository="a/b"))) == "NoNetwork"


def test_offline_nothing_but_this_machine_is_reached_and_refusals_are_counted(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Hub elsewhere is refused before its name is looked up; one on loopback goes on working."""
    repository = add_model(hub, "job/offline")
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "1")
    logs = Folders.from_environment().logs
    before = network.refused(logs)
    assert isinstance(start_job_process().answer(Download(id="d", repository=repository.id)), Downloaded)
    assert network.refused(logs) == before

    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    assert error(start_job_process().answer(Download(id="d", repository="a/b"))) == "Offline"
    assert network.refused(logs) == before + 1
    assert "hub.invalid" in (logs / network.LOG_NAME).read_text()


def test_a_variable_of_the_library_that_forbids_the_network_is_respected(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """HF_HUB_OFFLINE, set by the person."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert error(start_job_process().answer(Download(id="d", repository="a/b"))) == "Offline"
