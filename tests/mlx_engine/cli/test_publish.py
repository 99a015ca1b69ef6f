"""Tests of `facet publish` against the test Hub, with real job processes."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.cli.main import main
from mlx_engine.folders import Folders
from mlx_engine.measure.results.results import fingerprints, save_speed
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan, SpeedResult
from tests import processes
from tests.conversions import BASE, write_conversion
from tests.hub.faults import Hold
from tests.hub.repository import Repository
from tests.hub.server import Hub

TOKEN = "hf_writing"  # noqa: S105 - valid only for the test Hub
NAME = "ada/Whale-4bit"

pytestmark = pytest.mark.process


@pytest.fixture
def folder(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    hub.tokens[TOKEN] = "ada"
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("FACET_HOME", str(tmp_path))
    # The cache that the tests share contains models of the same name.
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return write_conversion(tmp_path / "models" / "maker" / "Whale-4bit", megabytes=3)


def test_a_conversion_is_published(folder: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """In the user's account; standard output is only the URL, for scripts."""
    assert main(["publish", "Whale-4bit", "--yes"]) == 0
    out, err = capsys.readouterr()
    assert out == f"{hub.endpoint}/{NAME}\n"
    assert "6 files" in err
    assert hub.repositories[NAME].private
    assert main(["publish", "Whale-4bit", "--yes"]) == 0
    assert "already up to date" in capsys.readouterr().err


def test_nothing_is_uploaded_without_confirmation(folder: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "Whale-4bit", NAME]) == 1
    assert "--yes" in capsys.readouterr().err
    assert {seen.method for seen in hub.requests} == {"GET"}


@pytest.mark.parametrize(("answer", "code"), [("n", 1), ("", 1), ("y", 0)])
def test_on_a_terminal_it_asks_for_confirmation(
    folder: Path, hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    """With the account, the repository, its visibility and all files."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))
    assert main(["publish", "Whale-4bit", NAME]) == code
    err = capsys.readouterr().err
    for text in ("Account     ada", f"{NAME} (new)", "private", "model.safetensors", " 3 MB"):
        assert text in err
    assert (NAME in hub.repositories) == (code == 0)


def test_a_dry_run_prints_only_the_card(folder: Path, hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """With the language and license of the base model's card on the Hub."""
    base = hub.add(Repository(BASE))
    base.commit({"README.md": b"---\nlicense: mit\nlanguage:\n- en\n---\n# Whale\nMy secret story.\n"})
    (folder / "facet.json").write_text((folder / "facet.json").read_text().replace(_commit_of(folder), base.main))
    assert main(["publish", "Whale-4bit", "ada/Other", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("---\nlicense: mit\nlanguage:\n- en\n")
    assert "secret story" not in out
    assert 'load("ada/Other")' in out
    assert {seen.method for seen in hub.requests} == {"GET"}


def _commit_of(folder: Path) -> str:
    return str(json.loads((folder / "facet.json").read_text())["revision"])


def test_the_card_contains_measured_speeds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = Folders.from_environment().measurements
    speed = SpeedResult(
        model="Whale-4bit",
        weights=fingerprints(root).of(folder),
        plan=SpeedPlan(),
        load_s=(1.0, 0.5),
        prefill_rates=(RateSeries(512, (510.0, 500.0, 490.0)),),
        decode_rates=(RateSeries(0, (41.0, 42.0, 43.0)),),
        peak_memory_bytes=10**9,
        machine="Mac with M9",
    )
    save_speed(speed, root)
    assert main(["publish", "Whale-4bit", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert (
        "| Decode speed | 42.0 (41.0 to 43.0) tok/s | on Mac with M9, after 0 tokens of context, median of 3 |" in out
    )
    assert "Not measured." not in out


def test_offline_the_card_is_printed_but_not_uploaded(
    folder: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FACET_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    assert main(["publish", "Whale-4bit", "--dry-run"]) == 0
    assert "license: apache-2.0" in capsys.readouterr().out
    assert main(["publish", "Whale-4bit", "ada/Whale", "--yes"]) == 1
    assert "Facet is offline" in capsys.readouterr().err


def test_the_users_card_is_uploaded_unchanged(folder: Path, hub: Hub, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("---\nlicense: mit\n---\n# Mine\n")
    assert main(["publish", "Whale-4bit", NAME, "--yes", "--public", "--card", str(card)]) == 0
    repository = hub.repositories[NAME]
    assert not repository.private
    assert repository.commits[repository.main]["README.md"].read() == card.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--public", "--license", "cc-by-nd-4.0"], "forbids"),
        (["--card", "absent.md"], "Couldn't read"),
    ],
)
def test_a_refusal_is_reported_in_a_sentence(
    folder: Path, hub: Hub, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["publish", "Whale-4bit", NAME, "--yes", *arguments]) == 1
    assert message in capsys.readouterr().err
    assert NAME not in hub.repositories


def test_a_different_model_is_replaced_only_on_request(
    folder: Path, hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = hub.add(Repository(NAME, private=True))
    repository.commit({"model.safetensors": b"other", "README.md": b"# Other"})
    hub.accepted.add(("ada", NAME))
    assert main(["publish", "Whale-4bit", NAME, "--yes"]) == 1
    assert "--update" in capsys.readouterr().err
    assert main(["publish", "Whale-4bit", NAME, "--yes", "--update"]) == 0


def test_json_output_is_one_object_per_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The target, the plan, the progress, the result."""
    assert main(["publish", "Whale-4bit", NAME, "--yes", "--json"]) == 0
    target, planned, *_, published = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    types = [event["type"] for event in (target, planned, published)]
    assert types == ["publish_target", "publish_planned", "published"]
    assert published["size_bytes"] == planned["total_bytes"]


def test_an_interrupted_upload_is_resumed_by_the_same_command(folder: Path, hub: Hub) -> None:
    hold = Hold(1 << 20)
    hub.inject("/store/", hold)
    command = [sys.executable, "-m", "mlx_engine", "publish", "Whale-4bit", NAME, "--yes"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    assert hold.reached.wait(20)
    processes.interrupt(process.pid)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "To resume, run the same command again." in err
    assert "Traceback" not in err
    hold.released.set()
    assert main(["publish", "Whale-4bit", NAME, "--yes"]) == 0


def test_an_upload_contains_no_local_path(folder: Path, hub: Hub, tiny_models: Path, tmp_path: Path) -> None:
    """Checks all files of a real conversion, and the model card."""
    original = tmp_path / "private place" / "ada lovelace" / "Whale"
    shutil.copytree(tiny_models / "llama", original)
    assert main(["convert", str(original), "--recipe", "8bit-g32", "--out", str(tmp_path / "conversions")]) == 0
    [conversion] = (tmp_path / "conversions").iterdir()
    assert main(["publish", str(conversion), "ada/Converted", "--yes"]) == 0
    repository = hub.repositories["ada/Converted"]
    uploaded = repository.commits[repository.main]
    assert {"model.safetensors", "facet.json", "README.md"} <= uploaded.keys()
    for name, file in uploaded.items():
        for private in ("private place", "lovelace", str(tmp_path)):
            assert private.encode() not in file.read(), name
