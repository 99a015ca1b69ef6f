import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.cli.main import main

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of Facet's own."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def library(home: Path, tiny_models: Path) -> Path:
    """A library of the tiny models, and a folder that is none."""
    (home / "models" / "broken" / "empty").mkdir(parents=True)
    (home / "models" / "tiny").symlink_to(tiny_models)
    return home / "models"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("chat --temperature 9", "--temperature is 9.0; it must be from 0 to 2."),
        ("chat --top-k many", "--top-k"),
        ("chat --max-tokens 0", "--max-tokens is 0"),
        ("chat --pompt Hello", "--prompt"),
        ("chat --json", "--prompt"),
        ("chta", "chat"),
    ],
)
def test_a_wrong_command_line_is_explained(arguments: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence on standard error that names the option, and exit code 1."""
    assert main(arguments.split()) == 1

    out, err = capsys.readouterr()
    assert not out
    assert words in err
    assert err.count("\n") == 1


def test_a_model_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With what there is instead."""
    assert main(["chat", "nobody/nothing", "--prompt", "Hello."]) == 1

    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facet: Model not found:")
    assert "nobody/nothing" in err


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["chat", "--help"], ["models", "--help"], ["fit", "--help"], ["import", "--help"], ["--version"]],
)
def test_help_goes_to_standard_output(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As in any good tool."""
    assert main(arguments) == 0

    out, err = capsys.readouterr()
    assert out.strip()
    assert not err


def run(*arguments: str, stdout: int = subprocess.PIPE) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, text=True, stdout=stdout, stderr=subprocess.PIPE, timeout=60)


def test_the_command_line_imports_neither_mlx_nor_qt() -> None:
    """It starts in a third of a second; MLX alone costs 1.5 s."""
    program = "import sys, mlx_engine.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    modules = set(run("-c", program).stdout.split())

    assert "mlx_engine" in modules
    assert not modules & {"mlx", "mlx_lm", "transformers", "PySide6", "numpy"}


def test_a_reader_that_goes_away_ends_it_quietly(library: Path) -> None:
    """`facet models | head -0` says nothing about broken pipes."""
    reader, writer = os.pipe()
    os.close(reader)
    done = run("-m", "mlx_engine", "models", stdout=writer)
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_a_sentence(library: Path) -> None:
    """`facet models > file` on a full disk is no traceback."""
    with Path("/dev/full").open("wb") as full:
        done = run("-m", "mlx_engine", "models", "--json", stdout=full.fileno())

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "No space left on device" in done.stderr


def test_closed_streams_are_no_error(library: Path) -> None:
    """As some programs start others."""
    command = '"$0" -m mlx_engine models <&- >&- && "$0" -m mlx_engine chat tiny/llama <&-'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], check=False, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=60
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_front_door_leads_to_the_command_line() -> None:
    """With a verb, `facet` opens no window."""
    done = run("-m", "app", "chat", "--top-p", "2")

    assert done.returncode == 1
    assert "--top-p is 2.0" in done.stderr


def test_a_verb_imports_no_other() -> None:
    """Nor what is slow to import and not needed: listing models is a matter of a moment."""
    code = "import sys; from mlx_engine.cli.main import main; main(['models']); print(*sys.modules, sep='\\n')"
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    verbs = {"mlx_engine.cli.chat", "mlx_engine.cli.convert", "mlx_engine.cli.lab"}
    assert not (verbs | {"huggingface_hub", "mlx", "numpy", "psutil", "PySide6"}) & set(child.stdout.splitlines())
