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


def test_a_model_is_pulled_and_its_folder_told(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """The folder alone on standard output, for scripts; the plan on standard error."""
    add_model(hub, "pull/model")
    assert main(["pull", "pull/model"]) == 0
    out, err = capsys.readouterr()
    assert Path(out.strip(), "config.json").is_file()
    assert "4 files" in err

    assert main(["pull", "pull/model"]) == 0
    assert "all here already" in capsys.readouterr().err


def test_a_revision_and_patterns_can_be_given(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """After an @, and by --include."""
    repository = add_model(hub, "pull/revision")
    older = repository.main
    repository.commit(model_files())
    assert main(["pull", f"pull/revision@{older}", "--include", "config.json", "--include", "token*"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    assert folder.name == older
    assert {path.name for path in folder.iterdir()} == {"config.json", "tokenizer.json"}


def test_json_is_one_object_a_line(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """The plan, the progress, the end."""
    add_model(hub, "pull/json")
    assert main(["pull", "pull/json", "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (told[0]["type"], told[-1]["type"]) == ("planned", "downloaded")
    assert {line["type"] for line in told[1:-1]} == {"progress"}
    assert told[-1]["size_bytes"] == told[0]["total_bytes"]


@pytest.mark.parametrize("name", ["pull/absent", "no name", "", "@main"])
def test_a_failure_is_a_sentence(hub: Hub, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """On standard error, with exit code 1."""
    assert main(["pull", name]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facet: Not found on the Hugging Face Hub:")


def test_control_c_stops_and_the_same_command_goes_on(hub: Hub) -> None:
    """Exit code 130, and a sentence that says what to do."""
    add_model(hub, "pull/stopped", megabytes=4)
    hold = Hold(after_bytes=2 * MEGABYTE)
    hub.order("/large/", hold)
    command = [sys.executable, "-m", "mlx_engine", "pull", "pull/stopped", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        next(line for line in child.stdout if json.loads(line).get("done_bytes", 0) > MEGABYTE)
        processes.interrupt(child.pid)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "goes on where it was" in err
    assert main(["pull", "pull/stopped"]) == 0
    assert hub.asked("/large/")[-1].range.startswith("bytes=")


def test_offline_is_a_sentence_and_touches_nothing(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--offline` reaches the job process."""
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    command = [sys.executable, "-m", "mlx_engine", "--offline", "pull", "a/b"]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 1
    assert child.stderr.startswith("facet: Facet is offline:")
