import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.cli.main import main
from tests import processes
from tests.hub.faults import Hold
from tests.hub.fixtures import add_model, model_files
from tests.hub.server import Hub

MEGABYTE = 1 << 20

pytestmark = pytest.mark.process


def test_a_model_is_downloaded(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Only the folder goes to standard output, for scripts; the plan goes to standard error."""
    add_model(hub, "pull/model")
    assert main(["pull", "pull/model"]) == 0
    out, err = capsys.readouterr()
    assert Path(out.strip(), "config.json").is_file()
    assert "4 files" in err

    assert main(["pull", "pull/model"]) == 0
    assert "already downloaded" in capsys.readouterr().err


def test_a_revision_and_patterns_select_the_files(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    repository = add_model(hub, "pull/revision")
    older = repository.main
    repository.commit(model_files())
    assert main(["pull", f"pull/revision@{older}", "--include", "config.json", "--include", "token*"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder.name == older
    assert {path.name for path in folder.iterdir()} == {"config.json", "tokenizer.json"}


def test_json_output_is_one_object_per_line(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan, the progress, the result."""
    add_model(hub, "pull/json")
    assert main(["pull", "pull/json", "--json"]) == 0
    planned, *progress, downloaded = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (planned["type"], downloaded["type"]) == ("planned", "downloaded")
    assert {event["type"] for event in progress} == {"progress"}
    assert downloaded["size_bytes"] == planned["total_bytes"]


@pytest.mark.parametrize("name", ["pull/absent", "no name", "", "@main"])
def test_a_failure_is_reported_in_a_sentence(hub: Hub, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["pull", name]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facet: Not found on the Hugging Face Hub:")


def test_an_interrupted_download_is_resumed_by_the_same_command(hub: Hub) -> None:
    add_model(hub, "pull/stopped", megabytes=4)
    hold = Hold(after_bytes=2 * MEGABYTE)
    hub.inject("/large/", hold)
    command = [sys.executable, "-m", "mlx_engine", "pull", "pull/stopped", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        next(line for line in child.stdout if json.loads(line).get("done_bytes", 0) > MEGABYTE)
        processes.interrupt(child.pid)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "To resume, run the same command again." in err
    assert main(["pull", "pull/stopped"]) == 0
    assert hub.requests_to("/large/")[-1].range.startswith("bytes=")


def test_the_offline_option_reaches_the_job_process(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    command = [sys.executable, "-m", "mlx_engine", "--offline", "pull", "a/b"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert child.stderr.startswith("facet: Facet is offline:")
