import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.cli.main import main

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary home of Facet."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def library(home: Path, tiny_models: Path) -> Path:
    """The tiny models and a folder that contains no model."""
    (home / "models" / "broken" / "empty").mkdir(parents=True)
    (home / "models" / "tiny").symlink_to(tiny_models)
    return home / "models"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("chat --temperature 9", "--temperature is 9.0; it must be from 0 to 2."),
        ("chat --top-k many", "--top-k"),
        ("chat --max-tokens 0", "--max-tokens is 0"),
        ("chat --pompt Hello", "--prompt"),
        ("chat --json", "--prompt"),
        ("chta", "chat"),
    ],
)
def test_a_usage_error_is_one_sentence(arguments: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the option."""
    assert main(arguments.split()) == 1

    out, err = capsys.readouterr()
    assert not out
    assert text in err
    assert err.count("\n") == 1


def test_a_missing_model_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chat", "owner/absent", "--prompt", "Hello."]) == 1

    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facet: Model not found:")
    assert "owner/absent" in err


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["chat", "--help"], ["models", "--help"], ["fit", "--help"], ["import", "--help"], ["--version"]],
)
def test_help_goes_to_standard_output(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0

    out, err = capsys.readouterr()
    assert out.strip()
    assert not err


def run(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, text=True, stdout=stdout, stderr=subprocess.PIPE, timeout=60)


@pytest.mark.process
def test_the_command_line_imports_neither_mlx_nor_qt() -> None:
    """It starts in a third of a second; MLX alone takes 1.5 s."""
    program = "import sys, mlx_engine.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    modules = set(run("-c", program).stdout.split())

    assert "mlx_engine" in modules
    assert not modules & {"mlx", "mlx_lm", "transformers", "PySide6", "numpy"}


def test_a_broken_pipe_is_not_reported(library: Path) -> None:
    """As in `facet models | head -0`."""
    reader, writer = os.pipe()
    os.close(reader)
    result = run("-m", "mlx_engine", "models", stdout=writer)
    os.close(writer)

    assert (result.returncode, result.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_reported_in_a_sentence(library: Path) -> None:
    """As in `facet models > file`."""
    with Path("/dev/full").open("wb") as full:
        result = run("-m", "mlx_engine", "models", "--json", stdout=full.fileno())

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "No space left on device" in result.stderr


def test_closed_streams_are_not_an_error(library: Path) -> None:
    command = '"$0" -m mlx_engine models <&- >&- && "$0" -m mlx_engine chat tiny/llama <&-'
    result = subprocess.run(
        ["sh", "-c", command, sys.executable], check=False, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=60
    )

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.process
def test_the_app_entry_point_runs_commands() -> None:
    """With a command, `facet` opens no window."""
    result = run("-m", "app", "chat", "--top-p", "2")

    assert result.returncode == 1
    assert "--top-p is 2.0" in result.stderr


@pytest.mark.process
def test_a_command_imports_no_other_command() -> None:
    """Listing models must be instant, so slow modules are not imported either."""
    code = "import sys; from mlx_engine.cli.main import main; main(['models']); print(*sys.modules, sep='\\n')"
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    commands = {"mlx_engine.cli.chat", "mlx_engine.cli.convert", "mlx_engine.cli.lab"}
    assert not (commands | {"huggingface_hub", "mlx", "numpy", "psutil", "PySide6"}) & set(child.stdout.splitlines())
