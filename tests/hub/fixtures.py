"""Fixtures with the test Hub, and with job processes that use it."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.job_process import JobProcess
from tests.hub.repository import HubFile, Repository
from tests.hub.server import Hub


@pytest.fixture(scope="session")
def running_hub() -> Iterator[Hub]:
    with Hub().serving() as hub:
        yield hub


@pytest.fixture(scope="session")
def hub_environment(running_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a process that uses the test Hub, with a temporary cache and keychain."""
    home = tmp_path_factory.mktemp("hub")
    return {
        "HF_ENDPOINT": running_hub.endpoint,
        "HF_HOME": str(home / "huggingface"),
        "FACET_HOME": str(home / "facet"),
        "FACET_TEST_KEYRING": str(home / "keyring.json"),
        "PYTHON_KEYRING_BACKEND": "tests.hub.keyring_file.FileKeyring",
        "NO_PROXY": "*",
    }


@pytest.fixture
def hub(
    running_hub: Hub, hub_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Hub]:
    """The test Hub, empty and without faults; processes that the test starts use only this Hub."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "FACET_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in hub_environment.items():
        monkeypatch.setenv(name, value)
    Path(hub_environment["FACET_TEST_KEYRING"]).unlink(missing_ok=True)
    running_hub.reset()
    yield running_hub
    running_hub.reset()


@pytest.fixture(scope="module")
def resident_job(hub_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobProcess]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "FACET_OFFLINE"):
            patch.delenv(name, raising=False)
        for name, value in hub_environment.items():
            patch.setenv(name, value)
        process = JobProcess(tmp_path_factory.mktemp("logs"))
    yield process
    process.close()


@pytest.fixture
def job(hub: Hub, resident_job: JobProcess) -> JobProcess:
    """A job process that all tests of the module share."""
    return resident_job


@pytest.fixture
def start_job_process(hub: Hub, tmp_path: Path) -> Iterator[type[JobProcess]]:
    """Class that starts job processes in the current environment; they end with the test."""
    processes: list[JobProcess] = []

    class TestJobProcess(JobProcess):
        def __init__(self) -> None:
            super().__init__(tmp_path / "logs")
            processes.append(self)

    yield TestJobProcess
    for process in processes:
        process.close()


def model_files(megabytes: float = 0.1) -> dict[str, HubFile | bytes]:
    """Return the files of a repository: a model with random weights, and files that Facet does not need."""
    return {
        "README.md": b"---\nlicense: mit\n---\n# A model\n",
        "config.json": b'{"model_type": "llama"}',
        "tokenizer.json": b"{}",
        "model.safetensors": os.urandom(int(megabytes * 1e6)),
        "pytorch_model.bin": b"a pickle",
        "modeling.py": b"print('code')",
        "original/consolidated.safetensors": b"the same again",
    }


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def add_model(hub: Hub, id: str, megabytes: float = 0.1) -> Repository:
    """Add a repository with a model in one commit."""
    repository = hub.add(Repository(id))
    repository.commit(model_files(megabytes))
    return repository
