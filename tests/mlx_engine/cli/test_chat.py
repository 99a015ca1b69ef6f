"""The whole way: the command line, the pool, the pipes, a real worker and a tiny real model."""

import io
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlx_engine.cli.main import main
from mlx_engine.cli.session import AnswerFailed, Session
from mlx_engine.folders import Folders
from mlx_engine.protocol import ChatMessage, Delta, Event, Finished, LoadProgress, Prefill
from mlx_engine.sampling import Sampling
from tests import command_line, mortal_worker, scripted_worker
from tests.gguf_files import tiny_model
from tests.scripted_worker import Script

ROOT = Path(__file__).parents[3]
ENDLESS = scripted_worker.command(Script(tokens=100_000, rate=50))
"""A worker whose answer ends only when it is cancelled."""


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_models: Path) -> Path:
    """A library of tiny models in a home of its own."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny").symlink_to(tiny_models)
    return tmp_path / "models"


def test_a_prompt_is_answered_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """The answer there, its figures on standard error, exit code 0."""
    assert main(["chat", "tiny/llama", "--prompt", "Hello.", "--max-tokens", "12", "--seed", "1"]) == 0

    out, err = capsys.readouterr()
    assert out.strip()
    assert "tok/s" in err


def test_a_model_of_an_added_folder_answers(
    tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A chat finds it by its name, as the list of models does."""
    shutil.copytree(tiny_models / "llama", tmp_path / "disk" / "owner" / "far")
    (tmp_path / "settings.json").write_text(json.dumps({"model_folders": [str(tmp_path / "disk")]}))
    assert main(["chat", "owner/far", "--prompt", "Hello.", "--max-tokens", "2", "--temperature", "0"]) == 0
    assert "2 tokens at" in capsys.readouterr().err


def test_a_model_answers_as_it_recommends(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where no option says otherwise, even the value that Facet itself would have taken; said once."""
    shutil.copytree(models / "tiny" / "llama", models / "owner" / "mine")
    values = {"temperature": 0, "top_p": 0.5, "top_k": 20}
    (models / "owner" / "mine" / "generation_config.json").write_text(json.dumps(values))
    options = ["--prompt", "Hello.", "--max-tokens", "2", "--top-p", str(Sampling().top_p)]
    assert main(["chat", "owner/mine", *options]) == 0
    assert capsys.readouterr().err.count("As mine recommends: temperature 0, top-k 20.\n") == 1


def test_a_model_that_answers_is_not_deleted(
    models: Path, tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until its worker has ended, its folder stays where it is."""
    shutil.copytree(tiny_models / "llama", models / "owner" / "mine")
    folders = Folders.from_environment()
    with Session(models / "owner" / "mine", folders) as session:
        list(session.answer([ChatMessage("user", "Hello.")], Sampling(max_tokens=2), think=False))
        assert main(["models", "rm", "owner/mine", "--yes"]) == 1
        assert "is loaded" in capsys.readouterr().err
    assert (models / "owner" / "mine").is_dir()


def test_a_model_that_cannot_be_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before a worker is started, with what to do."""
    file = tiny_model().write(tmp_path / "tiny.gguf")
    assert main(["chat", str(file), "--prompt", "Hello."]) == 1
    assert "Import this GGUF file" in capsys.readouterr().err


def test_json_is_deltas_and_then_the_statistics(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every line parses, the counts agree, and a prompt may come from standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello, 世界 👋"))
    assert main(["chat", "tiny/llama", "--prompt", "-", "--max-tokens", "12", "--seed", "1", "--json"]) == 0

    *deltas, finished = map(json.loads, capsys.readouterr().out.splitlines())
    assert {delta["type"] for delta in deltas} == {"delta"}
    assert deltas[-1]["generated_tokens"] == finished["statistics"]["generated_tokens"] > 0
    assert finished["statistics"]["prompt_tokens"] > 0


def test_lines_of_standard_input_are_a_conversation(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second question reads only what is new; an empty line asks nothing."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello.\n\nAnd now?\n"))
    assert main(["chat", "tiny/llama", "--max-tokens", "8", "--temperature", "0"]) == 0

    figures = [line for line in capsys.readouterr().err.splitlines() if "tok/s" in line]
    assert len(figures) == 2
    assert "kept from before" not in figures[0]
    assert "kept from before" in figures[1]


def test_a_prompt_that_does_not_fit_is_refused_with_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Before any work; the tiny models have room for 2,048 tokens."""
    assert main(["chat", "tiny/llama", "--prompt", "word " * 5000]) == 1

    out, err = capsys.readouterr()
    assert not out
    assert "2,048" in err


@pytest.mark.parametrize("prompt", ["", " \n\t"])
def test_an_empty_prompt_is_refused(prompt: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No process is started for it."""
    assert main(["chat", "tiny/llama", "--prompt", prompt]) == 1

    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1


def _remove_config(folder: Path) -> None:
    (folder / "config.json").unlink()


def _cut_weights(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def _remove_tokenizer(folder: Path) -> None:
    for file in folder.glob("tokenizer*"):
        file.unlink()


def _leave_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _remove_everything(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def _change_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def _forget_the_kind(folder: Path) -> None:
    _change_config(folder, model_type=None)


def _invent_an_architecture(folder: Path) -> None:
    _change_config(folder, model_type="no_such_architecture")


def _contradict_the_shapes(folder: Path) -> None:
    _change_config(folder, hidden_size=128)


@pytest.mark.parametrize(
    "damage",
    [
        _remove_everything,
        _remove_config,
        _forget_the_kind,
        _cut_weights,
        _remove_tokenizer,
        _leave_a_pickle,
        _invent_an_architecture,
        _contradict_the_shapes,
    ],
)
def test_a_bad_model_folder_is_one_sentence(
    damage: Callable[[Path], None], models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1 and what is wrong, whether it shows before the load or only in it; never a traceback."""
    shutil.copytree(models / "tiny" / "llama", models / "bad" / "model")
    damage(models / "bad" / "model")

    assert main(["chat", "bad/model", "--prompt", "Hello."]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facet: ")
    assert err.count("\n") == 1


def test_a_worker_killed_at_any_point_starts_anew_with_the_next_question(models: Path, tmp_path: Path) -> None:
    """kill -9 while it loads, reads and answers: each time an error with its reason, and the next answer comes."""
    deaths = (LoadProgress, Prefill, Delta)
    command = mortal_worker.command(tmp_path / "deaths", *deaths)
    with Session(models / "tiny" / "llama", Folders.from_environment(), command=command) as session:
        for _ in deaths:
            with pytest.raises(AnswerFailed, match="was killed"):
                _ask(session)
        assert isinstance(_ask(session)[-1], Finished)


def _ask(session: Session) -> list[Event]:
    messages = [ChatMessage("user", "Tell me a story. " * 40)]
    return list(session.answer(messages, Sampling(temperature=0, max_tokens=200), think=True))


def test_control_c_ends_a_prompt_with_the_exit_code_of_shells() -> None:
    """What was said stays; the line of figures says that it was stopped."""
    command = command_line.command("chat", "tiny/llama", "--prompt", "Hello.", worker=ENDLESS)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout
        said = child.stdout.read(1)
        child.send_signal(signal.SIGINT)
        rest, figures = child.communicate(timeout=60)

    assert child.returncode == 130
    assert (said + rest).strip()
    assert b"stopped" in figures
    assert b"Traceback" not in figures


# A new session has no terminal until it asks for one, and Control-C is a signal only to the session of a terminal.
_take_terminal = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A program on a terminal of its own, and what it has shown."""

    def __init__(self, *command: str) -> None:
        self._terminal, other_end = pty.openpty()
        self._child = subprocess.Popen(
            [sys.executable, "-c", _take_terminal, *command],
            cwd=ROOT,
            stdin=other_end,
            stdout=other_end,
            stderr=other_end,
            start_new_session=True,
        )
        os.close(other_end)
        self.shown = ""

    def until(self, text: str) -> None:
        """Read until `text` has been shown since the last call."""
        self.shown = ""
        while text not in self.shown:
            self.shown += os.read(self._terminal, 4096).decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def interrupt(self) -> None:
        """Press Control-C at the prompt until there is a new one.

        WORKAROUND(CPython 3.11): a signal that comes between readline's prompt and its waiting for a key is seen only
        with the next key.
        """
        self.shown = ""
        while "> " not in self.shown:
            self.type("\x03")
            while select.select([self._terminal], [], [], 1)[0] and "> " not in self.shown:
                self.shown += os.read(self._terminal, 4096).decode(errors="replace")

    def exit_code(self) -> int:
        code = self._child.wait(60)
        os.close(self._terminal)
        return code


def test_in_a_terminal_control_c_stops_the_answer_and_control_d_ends_the_chat() -> None:
    """Control-C at the prompt does nothing, and the shell sees a success."""
    terminal = Terminal(*command_line.command("chat", "tiny/llama", worker=ENDLESS))
    terminal.until("> ")
    terminal.type("Tell me a story.\r")
    terminal.until("Reading")
    terminal.type("\x03")
    terminal.until("> ")
    assert "Traceback" not in terminal.shown
    terminal.interrupt()
    terminal.type("\x04")

    assert terminal.exit_code() == 0


def test_a_chosen_context_in_fewer_bits_is_answered(capsys: pytest.CaptureFixture[str]) -> None:
    """Within the limit an answer, beyond it the figures."""
    options = ["--context", "64", "--cache-bits", "8", "--max-tokens", "4"]
    assert main(["chat", "tiny/llama-wide", "--prompt", "Hello.", *options]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["chat", "tiny/llama-wide", "--prompt", "word " * 100, *options]) == 1
    assert "context holds 64" in capsys.readouterr().err
