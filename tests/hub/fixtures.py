"""The small Hub and a job process that knows no other, for all tests."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.job_process import JobProcess
from tests.hub.repository import HubFile, Repository
from tests.hub.server import Hub


@pytest.fixture(scope="session")
def serving_hub() -> Iterator[Hub]:
    with Hub().serving() as hub:
        yield hub


@pytest.fixture(scope="session")
def hub_environment(serving_hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a process needs to know of the small Hub, and of no other, with a cache and a keychain of the tests."""
    home = tmp_path_factory.mktemp("hub")
    return {
        "HF_ENDPOINT": serving_hub.endpoint,
        "HF_HOME": str(home / "huggingface"),
        "FACET_HOME": str(home / "facet"),
        "FACET_TEST_KEYRING": str(home / "keyring.json"),
        "PYTHON_KEYRING_BACKEND": "tests.hub.keyring_file.FileKeyring",
        "NO_PROXY": "*",
    }


@pytest.fixture
def hub(
    serving_hub: Hub, hub_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Hub]:
    """The small Hub, empty and without faults; processes started by the test find it and nothing else."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_CACHE", "HF_HUB_OFFLINE", "FACET_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in hub_environment.items():
        monkeypatch.setenv(name, value)
    Path(hub_environment["FACET_TEST_KEYRING"]).unlink(missing_ok=True)
    serving_hub.reset()
    yield serving_hub
    serving_hub.reset()


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
    """A job process that has been started before; it serves one request after the other."""
    return resident_job


@pytest.fixture
def start_job_process(hub: Hub, tmp_path: Path) -> Iterator[type[JobProcess]]:
    """Job processes of the test's own, in the environment that it has set by then."""
    started: list[JobProcess] = []

    class Started(JobProcess):
        def __init__(self) -> None:
            super().__init__(tmp_path / "logs")
            started.append(self)

    yield Started
    for process in started:
        process.close()


def model_files(megabytes: float = 0.1) -> dict[str, HubFile | bytes]:
    """Return the files of a repository: a model with so many random weights, and what else may lie there."""
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
    """Put a model on the Hub, with one commit."""
    repository = hub.add(Repository(id))
    repository.commit(model_files(megabytes))
    return repository
