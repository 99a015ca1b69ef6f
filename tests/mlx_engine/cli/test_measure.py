"""Behaviour of `facet measure`, with tiny models in real processes."""

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


def test_each_candidate_is_an_object_a_failed_one_too(tiny_models: Path, text: Path, capsys: Output) -> None:
    """It is called as the person called it; one of another family says why, and the exit code is 1."""
    names = [str(tiny_models / name) for name in ("llama", "llama-4bit", "gemma3")]
    assert main(["measure", *names, "--corpus", str(text), "--chunk", "64", "--json"]) == 1
    told = capsys.readouterr()
    good, bad = _objects(told.out)
    assert (good["reference"], good["candidate"], bad["candidate"]) == tuple(names)
    assert good["mean_kl"] > 0
    assert {"mean_kl_se", "p99_kl", "top1_agreement", "perplexity", "reference_perplexity"} < set(good)
    assert "has a different chat template" in bad["message"]
    assert told.err.count(names[2]) == 1


def test_an_original_may_be_deleted_once_its_answers_are_kept(
    tiny_models: Path, text: Path, tmp_path: Path, capsys: Output
) -> None:
    """By `facet measure` and by a plan; and when the answers are deleted too, it is told that it is missing."""
    original = shutil.copytree(tiny_models / "llama", tmp_path / "gone")
    options = ["--corpus", str(text), "--chunk", "64", "--json"]
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options]) == 0
    before = _objects(capsys.readouterr().out)[0]
    shutil.rmtree(original)
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options]) == 0
    assert _objects(capsys.readouterr().out)[0]["mean_kl"] == before["mean_kl"]
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options, "--tokens", "128"]) == 1
    assert "No model is called" in capsys.readouterr().err  # Of other texts there are no answers.
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
    assert main(["lab", "answers"]) == 0
    assert "gone" in capsys.readouterr().out
    assert main(["lab", "answers", "--delete", "all"]) == 0
    assert main(["measure", str(original), str(tiny_models / "llama-4bit"), *options]) == 1
    assert "No model is called" in capsys.readouterr().err


def test_a_stand_in_is_made_and_labelled(
    tiny_models: Path, text: Path, tmp_path: Path, home: Path, capsys: Output
) -> None:
    """What it loses itself is missing in the figures, which is said with each; also when the original is gone."""
    original = shutil.copytree(tiny_models / "llama", tmp_path / "maker" / "large")
    command = ["measure", str(original), str(tiny_models / "llama-4bit"), "--corpus", str(text), "--chunk", "64"]
    assert main([*command, "--stand-in"]) == 0
    told = capsys.readouterr().out
    assert "lower bound" in told
    assert (home / "models" / "maker" / "large-8bit").is_dir()
    shutil.rmtree(original)
    assert main([*command, "--stand-in"]) == 0
    assert capsys.readouterr().out == told
    assert main(command) == 1  # The original itself has never answered.


@pytest.mark.parametrize("options", [["--tokens", "-1"], ["--tail", "1"], ["--tail", "nan"], ["--tail", "-0.1"]])
def test_options_out_of_range_are_told(options: list[str], tiny_models: Path, capsys: Output) -> None:
    """Before anything is read."""
    assert main(["measure", str(tiny_models / "llama"), str(tiny_models / "llama-4bit"), *options]) == 1
    assert capsys.readouterr().err.startswith("facet: --tokens is 0 or more, and --tail")


@pytest.mark.parametrize("names", [["maker/whale", "llama"], ["llama", "maker/whale"]])
def test_a_model_that_may_be_on_the_hub_is_told_how_to_get(names: list[str], tiny_models: Path, capsys: Output) -> None:
    """Be it the original or a candidate."""
    models = [str(tiny_models / name) if name == "llama" else name for name in names]
    assert main(["measure", *models]) == 1
    assert "download it with `facet pull maker/whale`." in capsys.readouterr().err
