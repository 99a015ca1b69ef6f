"""Behaviour of `facet lab`, with tiny models in real processes."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mlx_engine.cli.main import main
from mlx_engine.cli.views.study_progress import StudyCourse
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
    """A home of the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    return Folders.from_environment()


@pytest.fixture
def plan(tiny_models: Path, tmp_path: Path) -> dict[str, Any]:
    """Of a tiny llama, on about 700 tokens, without its speed."""
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


def test_a_plan_with_a_recipe_of_ones_own_runs_to_its_winner(
    plan: dict[str, Any], folders: Folders, tmp_path: Path, capsys: Output
) -> None:
    """A model is an object, with the names that `facet measure` has for its figures; the last one is the judgement.

    In a log, each step is a line.
    """
    folders.recipes.mkdir(parents=True)
    write_recipe(msgspec.structs.replace(builtin.recipe("8bit"), name="My best / try"), folders.recipes / "a.json")
    gates = {"max_mean_kl": 0.01, "prefer": "smallest"}
    assert _run({**plan, "recipes": ["My best / try"], "gates": gates}, tmp_path, "--json") == 0
    out, err = capsys.readouterr()
    original, four, mine, judgement = [json.loads(line) for line in out.splitlines()]
    assert original["is_original"]
    assert four["mean_kl"] > mine["mean_kl"] > 0
    assert {"mean_kl_se", "p99_kl", "top1_agreement", "perplexity", "reference_perplexity"} < set(mine)
    assert judgement["winner"] == mine["candidate"] == f"{tmp_path_name(plan)}/llama-My-best-try"
    assert "above 0.01" in judgement["obstacles"][four["candidate"]][0]
    assert err.splitlines() == [
        "4 steps left · original: reading the text",
        "3 steps left · 4bit: comparing",
        "2 steps left · My best / try: converting",
        "1 step left · My best / try: comparing",
    ]


def tmp_path_name(plan: dict[str, Any]) -> str:
    """Return what stands in the place of an owner for models that lie in a folder."""
    return Path(plan["original"]).parent.name


def test_a_study_is_not_lost_to_another_of_its_name(
    plan: dict[str, Any], folders: Folders, tmp_path: Path, capsys: Output
) -> None:
    """Until somebody deletes it."""
    made = study(FEW)
    save_study(
        msgspec.structs.replace(made, plan=msgspec.structs.replace(made.plan, name="Tiny study")), folders.studies
    )
    assert _run(plan, tmp_path) == 1
    assert 'facet lab delete "Tiny study"' in capsys.readouterr().err
    assert main(["lab", "delete", "tiny"]) == 1
    assert main(["lab", "delete", "Tiny study"]) == 0
    assert main(["lab", "show", "Tiny study"]) == 1


def test_control_c_leaves_a_sentence(
    plan: dict[str, Any], tmp_path: Path, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that works is closed by `StudyRun`."""

    def interrupted(_course: StudyCourse) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(StudyCourse, "run", interrupted)
    assert _run(plan, tmp_path) == 130
    assert "Stopped. What was measured is kept" in capsys.readouterr().err


def test_studies_are_shown_by_the_beginning_of_their_names(folders: Folders, capsys: Output) -> None:
    """Where that is one only."""
    first = study(FEW)
    for name in ("Llama for 8 GB", "Llama for 16 GB", "Qwen"):
        save_study(msgspec.structs.replace(first, plan=msgspec.structs.replace(first.plan, name=name)), folders.studies)
    assert main(["lab", "show", "qw"]) == 0
    assert BASE in capsys.readouterr().out
    assert main(["lab", "show", "llama"]) == 1
    assert "Several studies begin with llama: Llama for 16 GB, Llama for 8 GB." in capsys.readouterr().err
    assert main(["lab", "show", "whale"]) == 1
    assert "There is no study called whale." in capsys.readouterr().err


def test_studies_are_listed(folders: Folders, capsys: Output) -> None:
    """For people and for programs; without any, it is said how to begin one."""
    assert main(["lab", "list"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "There are no studies yet." in err
    save_study(study(FEW), folders.studies)
    assert main(["lab", "list", "--json"]) == 0
    (listed,) = _objects(capsys)
    assert (listed["name"], listed["original"]) == ("study", ORIGINAL)
    assert main(["lab", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith(f"study  {ORIGINAL}")


def test_a_disturbed_speed_has_a_star_and_wins_nothing(folders: Folders, capsys: Output) -> None:
    """In the table, and by the exit code."""
    made = study(FEW)
    rows = []
    for row in made.rows:
        assert row.speed
        series = [msgspec.structs.replace(one, values=(1.0, 2.0, 3.0)) for one in row.speed.decoding]
        rows.append(msgspec.structs.replace(row, speed=msgspec.structs.replace(row.speed, decoding=tuple(series))))
    plan = msgspec.structs.replace(made.plan, gates=Gates())
    save_study(msgspec.structs.replace(made, plan=plan, rows=tuple(rows)), folders.studies)
    assert main(["lab", "show", "study"]) == 1
    out = capsys.readouterr().out
    assert "2.00*" in out
    assert "something else was running" in out
    assert out.endswith("No candidate passes.\n")


@pytest.mark.parametrize("content", ["", "[]", '{"name": "x"}', '{"name": "x", "original": "y", "speeds": 1}'])
def test_a_file_that_is_no_plan_is_told(tmp_path: Path, content: str, capsys: Output) -> None:
    """In a sentence with the file's name, without a traceback."""
    (tmp_path / "plan.json").write_text(content)
    assert main(["lab", "run", str(tmp_path / "plan.json")]) == 1
    assert capsys.readouterr().err.startswith("facet: This plan can't be used: plan.json is not a valid study plan")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"original": "whale"}, "No model is called 'whale'."),
        ({"candidates": ["maker/whale"]}, "download it with `facet pull maker/whale`."),
        ({"recipes": ["9bit"]}, 'There is no recipe "9bit".'),
        ({"recipes": ["nowhere.json"]}, "nowhere.json: No such file"),
        ({"recipes": ["8bit", "8bit"]}, "8bit twice"),
        ({"corpus": {"path": "nowhere.txt"}}, "nowhere.txt"),
    ],
)
def test_what_a_plan_names_and_is_not_there_is_told(
    plan: dict[str, Any], fields: dict[str, Any], sentence: str, tmp_path: Path, capsys: Output
) -> None:
    """Before anything is done; nothing is kept of such a study."""
    assert _run({**plan, **fields}, tmp_path) == 1
    assert sentence in capsys.readouterr().err
    assert main(["lab", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""


def test_answers_that_are_not_there_cannot_be_deleted(folders: Folders, capsys: Output) -> None:
    """Nothing that is meant is a failure; an empty list is none."""
    assert main(["lab", "answers", "--json"]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "No answers are kept.\n")
    (folders.references / "0123abcd").mkdir(parents=True)
    assert main(["lab", "answers", "--json"]) == 0
    assert _objects(capsys)[0]["key"] == "0123abcd"
    assert main(["lab", "answers", "--delete", "whale"]) == 1
    assert "No answers are kept under whale." in capsys.readouterr().err
    assert main(["lab", "answers", "--delete", "0123"]) == 0
    assert "Deleted 0123abcd" in capsys.readouterr().out
