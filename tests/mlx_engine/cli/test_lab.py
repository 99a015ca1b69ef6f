"""Tests of `facet lab`, with tiny models in real processes."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlx_engine.cli.main import main
from mlx_engine.cli.views.study_progress import TerminalStudyRun
from mlx_engine.folders import Folders
from mlx_engine.measure.study.gates import Gates
from mlx_engine.measure.study.study_file import save_study
from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.recipe_file import write_recipe
from tests.mlx_engine.measure.charts.studies import BASE, FEW, OWNER, study

Output = pytest.CaptureFixture[str]
ORIGINAL = f"{OWNER}/{BASE}"


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    """A temporary home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    return Folders.from_environment()


@pytest.fixture
def plan(tiny_models: Path, tmp_path: Path) -> dict[str, Any]:
    """A plan for a tiny Llama, with about 700 tokens and without speed."""
    (tmp_path / "text.txt").write_text("The tide comes in twice a day, and takes back what it has left behind. " * 20)
    return {
        "name": "Tiny study",
        "original": str(tiny_models / "llama"),
        "candidates": [str(tiny_models / "llama-4bit")],
        "corpus": {"path": "text.txt"},
        "convention": {"chunk_tokens": 64},
        "limit_tokens": 256,
        "speed": None,
    }


def _run(plan: dict[str, Any], folder: Path, *options: str) -> int:
    (folder / "plan.json").write_text(json.dumps(plan))
    return main(["lab", "run", str(folder / "plan.json"), *options])


def _objects(capsys: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_user_recipe_can_be_the_best_within_limits(
    plan: dict[str, Any], folders: Folders, tmp_path: Path, capsys: Output
) -> None:
    """Each model is one JSON object with the fields of `facet measure`; the last object is the best within limits.

    Without a terminal, each step is a line on standard error.
    """
    folders.recipes.mkdir(parents=True)
    write_recipe(msgspec.structs.replace(builtin.recipe("8bit"), name="My best / try"), folders.recipes / "a.json")
    gates = {"max_mean_kl": 0.01, "prefer": "smallest"}
    assert _run({**plan, "recipes": ["My best / try"], "gates": gates}, tmp_path, "--json") == 0
    out, err = capsys.readouterr()
    original, four, user, verdict = [json.loads(line) for line in out.splitlines()]
    assert original["is_original"]
    assert four["mean_kl"] > user["mean_kl"] > 0
    assert {"mean_kl_se", "p99_kl", "top1_agreement", "perplexity", "reference_perplexity"} < set(user)
    assert verdict["best"] == user["candidate"] == f"{folder_owner(plan)}/llama-My-best-try"
    assert "above 0.01" in verdict["obstacles"][four["candidate"]][0]
    assert err.splitlines() == [
        "4 steps left · original: reading the text",
        "3 steps left · 4bit: comparing",
        "2 steps left · My best / try: converting",
        "1 step left · My best / try: comparing",
    ]


def folder_owner(plan: dict[str, Any]) -> str:
    """Return the owner in the id of a model outside the library: the name of its parent folder."""
    return Path(plan["original"]).parent.name


def test_a_study_is_not_replaced_by_another_with_its_name(
    plan: dict[str, Any], folders: Folders, tmp_path: Path, capsys: Output
) -> None:
    """The user must delete it first."""
    other = study(FEW)
    renamed = msgspec.structs.replace(other.plan, name="Tiny study")
    save_study(msgspec.structs.replace(other, plan=renamed), folders.studies)
    assert _run(plan, tmp_path) == 1
    assert 'facet lab delete "Tiny study"' in capsys.readouterr().err
    assert main(["lab", "delete", "tiny"]) == 1
    assert main(["lab", "delete", "Tiny study"]) == 0
    assert main(["lab", "show", "Tiny study"]) == 1


def test_control_c_pauses_the_study(
    plan: dict[str, Any], tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`StudyRun` closes the job process."""

    def interrupted(_run: TerminalStudyRun) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TerminalStudyRun, "run", interrupted)
    assert _run(plan, tmp_path) == 130
    assert "Paused. Results are saved." in capsys.readouterr().err


def test_a_study_is_found_by_the_beginning_of_its_name(folders: Folders, capsys: Output) -> None:
    """If only one study matches."""
    first = study(FEW)
    for name in ("Llama for 8 GB", "Llama for 16 GB", "Qwen"):
        save_study(msgspec.structs.replace(first, plan=msgspec.structs.replace(first.plan, name=name)), folders.studies)
    assert main(["lab", "show", "qw"]) == 0
    assert BASE in capsys.readouterr().out
    assert main(["lab", "show", "llama"]) == 1
    assert "Several studies match llama: Llama for 16 GB, Llama for 8 GB." in capsys.readouterr().err
    assert main(["lab", "show", "whale"]) == 1
    assert "find a study named whale." in capsys.readouterr().err


def test_studies_are_listed(folders: Folders, capsys: Output) -> None:
    """Without studies, the message says how to start one."""
    assert main(["lab", "list"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "No studies yet." in err
    save_study(study(FEW), folders.studies)
    assert main(["lab", "list", "--json"]) == 0
    (listed,) = _objects(capsys)
    assert (listed["name"], listed["original"]) == ("study", ORIGINAL)
    assert main(["lab", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(f"study  {ORIGINAL}")


def test_a_disturbed_speed_has_a_star_and_does_not_pass(folders: Folders, capsys: Output) -> None:
    few = study(FEW)
    rows = []
    for row in few.rows:
        assert row.speed
        decoding = [msgspec.structs.replace(series, values=(1.0, 2.0, 3.0)) for series in row.speed.decode_rates]
        rows.append(
            msgspec.structs.replace(row, speed=msgspec.structs.replace(row.speed, decode_rates=tuple(decoding)))
        )
    plan = msgspec.structs.replace(few.plan, gates=Gates())
    save_study(msgspec.structs.replace(few, plan=plan, rows=tuple(rows)), folders.studies)
    assert main(["lab", "show", "study"]) == 1
    out = capsys.readouterr().out
    assert "2.00*" in out
    assert "something else was running" in out
    assert out.endswith("No candidate is within the limits.\n")


@pytest.mark.parametrize("content", ["", "[]", '{"name": "x"}', '{"name": "x", "original": "y", "speeds": 1}'])
def test_an_invalid_plan_is_reported(tmp_path: Path, content: str, capsys: Output) -> None:
    """In one sentence with the name of the file."""
    (tmp_path / "plan.json").write_text(content)
    assert main(["lab", "run", str(tmp_path / "plan.json")]) == 1
    assert capsys.readouterr().err.startswith("facet: This plan can't be used: plan.json is not a valid study plan")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"original": "whale"}, "No model is called 'whale'."),
        ({"candidates": ["maker/whale"]}, "download it with `facet pull maker/whale`."),
        ({"recipes": ["9bit"]}, 'Unknown recipe "9bit".'),
        ({"recipes": ["nowhere.json"]}, "nowhere.json: No such file"),
        ({"recipes": ["8bit", "8bit"]}, "8bit twice"),
        ({"corpus": {"path": "nowhere.txt"}}, "nowhere.txt"),
    ],
)
def test_missing_parts_of_a_plan_are_reported(
    plan: dict[str, Any], fields: dict[str, Any], message: str, tmp_path: Path, capsys: Output
) -> None:
    """The study is not saved."""
    assert _run({**plan, **fields}, tmp_path) == 1
    assert message in capsys.readouterr().err
    assert main(["lab", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_stored_predictions_are_listed_and_deleted(folders: Folders, capsys: Output) -> None:
    """A key that matches nothing is a failure; an empty list is not."""
    assert main(["lab", "predictions", "--json"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "No stored predictions.\n")
    (folders.references / "0123abcd").mkdir(parents=True)
    assert main(["lab", "predictions", "--json"]) == 0
    assert _objects(capsys)[0]["key"] == "0123abcd"
    assert main(["lab", "predictions", "--delete", "whale"]) == 1
    assert "No stored predictions match whale." in capsys.readouterr().err
    assert main(["lab", "predictions", "--delete", "0123"]) == 0
    assert "Deleted 0123abcd" in capsys.readouterr().out
