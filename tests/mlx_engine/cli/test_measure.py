"""Tests of `facet measure`, with tiny models in real processes."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlx_engine.cli.main import main
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.plan import StudyPlan

Output = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def text(tmp_path: Path) -> Path:
    """About 700 tokens."""
    (tmp_path / "text.txt").write_text("The tide comes in twice a day, and takes back what it has left behind. " * 20)
    return tmp_path / "text.txt"


def _objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_each_candidate_is_one_json_object(tiny_models: Path, text: Path, capsys: Output) -> None:
    """Under the name from the command line. A candidate of another family has an error, and the exit code is 1."""
    names = [str(tiny_models / name) for name in ("llama", "llama-4bit", "gemma3")]
    assert main(["measure", *names, "--corpus", str(text), "--chunk", "64", "--json"]) == 1
    out, err = capsys.readouterr()
    good, bad = _objects(out)
    assert (good["reference"], good["candidate"], bad["candidate"]) == tuple(names)
    assert good["mean_kl"] > 0
    assert {"mean_kl_se", "p99_kl", "top1_agreement", "perplexity", "reference_perplexity"} < set(good)
    assert "has a different chat template" in bad["message"]
    assert err.count(names[2]) == 1


def test_stored_predictions_replace_a_deleted_original(
    tiny_models: Path, text: Path, tmp_path: Path, capsys: Output
) -> None:
    """In `facet measure` and in a study, until the predictions are deleted too."""
    original = shutil.copytree(tiny_models / "llama", tmp_path / "gone")
    options = ["--corpus", str(text), "--chunk", "64", "--json"]
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options]) == 0
    before = _objects(capsys.readouterr().out)[0]
    shutil.rmtree(original)
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options]) == 0
    assert _objects(capsys.readouterr().out)[0]["mean_kl"] == before["mean_kl"]
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options, "--tokens", "128"]) == 1
    assert "No model is called" in capsys.readouterr().err  # Predictions are stored for the whole text only.
    plan = StudyPlan(
        name="late",
        original=str(original),
        candidates=(str(tiny_models / "llama-4bit"),),
        corpus=CorpusSource(path=str(text)),
        speed=None,
    )
    convention = msgspec.structs.replace(plan.convention, chunk_tokens=64)
    (tmp_path / "plan.json").write_bytes(msgspec.json.encode(msgspec.structs.replace(plan, convention=convention)))
    assert main(["lab", "run", str(tmp_path / "plan.json"), "--json"]) == 0
    assert _objects(capsys.readouterr().out)[1]["fidelity"][0]["fidelity"]["mean_kl"] == before["mean_kl"]
    assert main(["lab", "predictions"]) == 0
    assert "gone" in capsys.readouterr().out
    assert main(["lab", "predictions", "--delete", "all"]) == 0
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options]) == 1
    assert "No model is called" in capsys.readouterr().err


def test_a_stand_in_is_created_and_labeled(
    tiny_models: Path, text: Path, tmp_path: Path, home: Path, capsys: Output
) -> None:
    """The report says that its divergences are lower bounds, even after the original is deleted."""
    original = shutil.copytree(tiny_models / "llama", tmp_path / "maker" / "large")
    command = ["measure", str(original), str(tiny_models / "llama-4bit"), "--corpus", str(text), "--chunk", "64"]
    assert main([*command, "--stand-in"]) == 0
    report = capsys.readouterr().out
    assert "lower bound" in report
    assert (home / "models" / "maker" / "large-8bit").is_dir()
    shutil.rmtree(original)
    assert main([*command, "--stand-in"]) == 0
    assert capsys.readouterr().out == report
    assert main(command) == 1  # No predictions of the original itself are stored.


@pytest.mark.parametrize("option", ["--tokens -1", "--tail 1.0", "--tail nan", "--tail -0.1"])
def test_an_option_out_of_range_is_reported(option: str, tiny_models: Path, capsys: Output) -> None:
    name, value = option.split()
    assert main(["measure", str(tiny_models / "llama"), str(tiny_models / "llama-4bit"), name, value]) == 1
    assert capsys.readouterr().err.startswith(f"facet: {name} is {value}; it must be at least 0")


@pytest.mark.parametrize("names", [["maker/whale", "llama"], ["llama", "maker/whale"]])
def test_an_unknown_model_comes_with_its_download_command(names: list[str], tiny_models: Path, capsys: Output) -> None:
    models = [str(tiny_models / name) if name == "llama" else name for name in names]
    assert main(["measure", *models]) == 1
    assert "download it with `facet pull maker/whale`." in capsys.readouterr().err
