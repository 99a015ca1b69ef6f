"""End-to-end tests of `facet chat`: command line, pool, pipes, a real worker and a tiny real model."""

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
    """A library of tiny models in a temporary home."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny").symlink_to(tiny_models)
    return tmp_path / "models"


def test_a_prompt_is_answered_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """The statistics go to standard error."""
    assert main(["chat", "tiny/llama", "--prompt", "Hello.", "--max-tokens", "12", "--seed", "1"]) == 0

    out, err = capsys.readouterr()
    assert out.strip()
    assert "tok/s" in err


def test_a_model_in_an_added_folder_answers(
    tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_models / "llama", tmp_path / "disk" / "owner" / "far")
    (tmp_path / "settings.json").write_text(json.dumps({"model_folders": [str(tmp_path / "disk")]}))
    assert main(["chat", "owner/far", "--prompt", "Hello.", "--max-tokens", "2", "--temperature", "0"]) == 0
    assert "2 tokens at" in capsys.readouterr().err


def test_recommended_settings_apply_unless_set(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An option applies even if it equals Facet's default; the settings in use are reported once."""
    shutil.copytree(models / "tiny" / "llama", models / "owner" / "mine")
    values = {"temperature": 0, "top_p": 0.5, "top_k": 20}
    (models / "owner" / "mine" / "generation_config.json").write_text(json.dumps(values))
    options = ["--prompt", "Hello.", "--max-tokens", "2", "--top-p", str(Sampling().top_p)]
    assert main(["chat", "owner/mine", *options]) == 0
    assert capsys.readouterr().err.count("Using mine's recommended settings: temperature 0, top-k 20.\n") == 1


def test_a_model_in_use_is_not_deleted(
    models: Path, tiny_models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(tiny_models / "llama", models / "owner" / "mine")
    folders = Folders.from_environment()
    with Session(models / "owner" / "mine", folders) as session:
        list(session.answer([ChatMessage("user", "Hello.")], Sampling(max_tokens=2), think=False))
        assert main(["models", "rm", "owner/mine", "--yes"]) == 1
        assert "is loaded" in capsys.readouterr().err
    assert (models / "owner" / "mine").is_dir()


def test_a_model_that_cannot_be_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No worker is started, and the message says what to do."""
    file = tiny_model().write(tmp_path / "tiny.gguf")
    assert main(["chat", str(file), "--prompt", "Hello."]) == 1
    assert "Import this GGUF file" in capsys.readouterr().err


def test_json_output_is_deltas_then_statistics(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prompt may come from standard input."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello, 世界 👋"))
    assert main(["chat", "tiny/llama", "--prompt", "-", "--max-tokens", "12", "--seed", "1", "--json"]) == 0

    *deltas, finished = map(json.loads, capsys.readouterr().out.splitlines())
    assert {delta["type"] for delta in deltas} == {"delta"}
    assert deltas[-1]["generated_tokens"] == finished["statistics"]["generated_tokens"] > 0
    assert finished["statistics"]["prompt_tokens"] > 0


def test_standard_input_is_a_conversation_line_by_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second prompt reads only the new tokens; an empty line is ignored."""
    monkeypatch.setattr("sys.stdin", io.StringIO("Hello.\n\nAnd now?\n"))
    assert main(["chat", "tiny/llama", "--max-tokens", "8", "--temperature", "0"]) == 0

    statistics = [line for line in capsys.readouterr().err.splitlines() if "tok/s" in line]
    assert len(statistics) == 2
    assert "cached" not in statistics[0]
    assert "cached" in statistics[1]


def test_a_prompt_that_is_too_long_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the limit; the tiny models have a context of 2,048 tokens."""
    assert main(["chat", "tiny/llama", "--prompt", "word " * 5000]) == 1

    out, err = capsys.readouterr()
    assert not out
    assert "2,048" in err


@pytest.mark.parametrize("prompt", ["", " \n\t"])
def test_an_empty_prompt_is_refused(prompt: str, capsys: pytest.CaptureFixture[str]) -> None:
    """No worker is started."""
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


def _replace_by_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def _remove_everything(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def _change_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def _remove_model_type(folder: Path) -> None:
    _change_config(folder, model_type=None)


def _set_unknown_architecture(folder: Path) -> None:
    _change_config(folder, model_type="no_such_architecture")


def _set_wrong_shapes(folder: Path) -> None:
    _change_config(folder, hidden_size=128)


@pytest.mark.parametrize(
    "damage",
    [
        _remove_everything,
        _remove_config,
        _remove_model_type,
        _cut_weights,
        _remove_tokenizer,
        _replace_by_pickle,
        _set_unknown_architecture,
        _set_wrong_shapes,
    ],
)
def test_a_bad_model_folder_is_reported_in_one_sentence(
    damage: Callable[[Path], None], models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a traceback, whether the problem shows before the load or during it."""
    shutil.copytree(models / "tiny" / "llama", models / "bad" / "model")
    damage(models / "bad" / "model")

    assert main(["chat", "bad/model", "--prompt", "Hello."]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facet: ")
    assert err.count("\n") == 1


def test_a_killed_worker_restarts_for_the_next_question(models: Path, tmp_path: Path) -> None:
    """Killed while loading, reading and answering."""
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


def test_control_c_exits_with_the_code_that_shells_expect() -> None:
    """The text so far stays, and the statistics say that the answer was stopped."""
    command = command_line.command("chat", "tiny/llama", "--prompt", "Hello.", worker=ENDLESS)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout
        first = child.stdout.read(1)
        child.send_signal(signal.SIGINT)
        rest, statistics = child.communicate(timeout=60)

    assert child.returncode == 130
    assert (first + rest).strip()
    assert b"stopped" in statistics
    assert b"Traceback" not in statistics


# A new session must acquire its terminal, because Control-C signals only the session of a terminal.
_ACQUIRE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A program on its own pseudo-terminal, and its output."""

    def __init__(self, *command: str) -> None:
        self._terminal, child_end = pty.openpty()
        self._child = subprocess.Popen(
            [sys.executable, "-c", _ACQUIRE_TERMINAL, *command],
            cwd=ROOT,
            stdin=child_end,
            stdout=child_end,
            stderr=child_end,
            start_new_session=True,
        )
        os.close(child_end)
        self.output = ""

    def read_until(self, text: str) -> None:
        """Read until `text` has been written since the last call."""
        self.output = ""
        while text not in self.output:
            self.output += os.read(self._terminal, 4096).decode(errors="replace")

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def interrupt(self) -> None:
        """Press Control-C until there is a new prompt.

        WORKAROUND(CPython 3.11): a signal between readline's prompt and its wait for a key is handled only at the next
        key.
        """
        self.output = ""
        while "> " not in self.output:
            self.type("\x03")
            while select.select([self._terminal], [], [], 1)[0] and "> " not in self.output:
                self.output += os.read(self._terminal, 4096).decode(errors="replace")

    def exit_code(self) -> int:
        code = self._child.wait(60)
        os.close(self._terminal)
        return code


def test_in_a_terminal_control_c_stops_the_answer_and_control_d_ends_the_chat() -> None:
    """Control-C at the prompt does nothing, and the shell sees a success."""
    terminal = Terminal(*command_line.command("chat", "tiny/llama", worker=ENDLESS))
    terminal.read_until("> ")
    terminal.type("Tell me a story.\r")
    terminal.read_until("Reading")
    terminal.type("\x03")
    terminal.read_until("> ")
    assert "Traceback" not in terminal.output
    terminal.interrupt()
    terminal.type("\x04")

    assert terminal.exit_code() == 0


def test_a_limited_context_with_a_quantized_kv_cache_works(capsys: pytest.CaptureFixture[str]) -> None:
    """Beyond the limit, the prompt is refused."""
    options = ["--context", "64", "--cache-bits", "8", "--max-tokens", "4"]
    assert main(["chat", "tiny/llama-wide", "--prompt", "Hello.", *options]) == 0
    assert capsys.readouterr().out.strip()
    assert main(["chat", "tiny/llama-wide", "--prompt", "word " * 100, *options]) == 1
    assert "context holds 64" in capsys.readouterr().err
