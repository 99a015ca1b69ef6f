import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mlx_engine.cli.main import main
from mlx_engine.models.description import provenance
from mlx_engine.models.description.describe import describe
from mlx_engine.models.hub.cache import cache_folder
from mlx_engine.quantize.recipes.builtin import RECIPES, recipe
from mlx_engine.quantize.recipes.recipe_file import write_recipe
from tests import command_line, pausing_job, processes
from tests.hub.repository import Repository
from tests.hub.server import Hub
from tests.model_folders import write_llama
from tests.shards import split_weights

Output = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def llama(tiny_models: Path) -> str:
    return str(tiny_models / "llama")


def test_a_model_is_converted_with_several_recipes(llama: str, home: Path, tmp_path: Path, capsys: Output) -> None:
    """With a named recipe and a file. Folders go to standard output, plans to standard error."""
    write_recipe(recipe("8bit-g32"), tmp_path / "user.json")
    assert main(["convert", llama, "--recipe", "mixed_4_6", "--recipe", str(tmp_path / "user.json")]) == 0
    out, err = capsys.readouterr()
    folders = [Path(line) for line in out.splitlines()]
    owner = home / "models" / Path(llama).parent.name
    assert folders == [owner / "llama-mixed_4_6", owner / "llama-8bit-g32"]
    assert [describe(folder, "a/b").bits for folder in folders] == [(4, 6), (8,)]
    assert "mixed_4_6: " in err
    assert "bits per weight" in err
    assert provenance.read(folders[1]).settings["name"] == "8bit-g32"
    assert (Path(llama) / "model.safetensors").exists()


def test_a_dry_run_forecasts_the_exact_result(llama: str, home: Path, tmp_path: Path, capsys: Output) -> None:
    """Writes nothing."""
    assert main(["convert", llama, "--recipe", "4bit-g128", "--dry-run", "--json", "--context", "1024"]) == 0
    forecast = json.loads(capsys.readouterr().out)
    assert not (home / "models").exists()
    assert forecast["unquantized"]["model.layers.0.self_attn.q_proj"] == "its rows of 64 weights do not divide by 128"
    assert forecast["fit"]["estimate"]["context"] == 1024
    assert main(["convert", llama, "--recipe", "4bit-g128", "--out", str(tmp_path)]) == 0
    weights = tmp_path / "llama-4bit-g128" / "model.safetensors"
    assert weights.stat().st_size == forecast["size_bytes"]
    assert Path(forecast["path"]).name == weights.parent.name


def test_a_dry_run_is_readable(llama: str, capsys: Output) -> None:
    """With one line for each kind of matrix that is not quantized."""
    assert main(["convert", llama, "--recipe", "4bit-g32", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "Bits/weight" in out
    assert "Not quantized: model.layers.*.input_layernorm (4): a norm." in out


def test_a_llama_cpp_name_selects_the_closest_recipe(llama: str, capsys: Output) -> None:
    """The difference goes to standard error."""
    assert main(["convert", llama, "--recipe", "Q4_1", "--dry-run", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["recipe"] == "4bit-g32"
    assert err.startswith("Using 4bit-g32, the closest to llama.cpp's Q4_1. The same: ")


def test_json_output_is_one_object_per_line(llama: str, capsys: Output) -> None:
    """The plan, the progress, the result."""
    assert main(["convert", llama, "--recipe", "4bit-g32", "--json"]) == 0
    planned, *progress, converted = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (planned["type"], converted["type"]) == ("conversion_planned", "converted")
    assert {event["type"] for event in progress} == {"conversion_progress"}
    assert converted["bits_per_weight"] == planned["bits_per_weight"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--recipe", "4bit-g6"], "4bit"),
        (["--recipe", "absent.json"], "Couldn't read"),
        (["--recipe", "4bit", "--recipe", "4bit"], "same name"),
        ([], "recipe"),
    ],
)
def test_an_invalid_request_is_reported_in_a_sentence(
    llama: str, options: list[str], message: str, capsys: Output
) -> None:
    """No job process is started."""
    assert main(["convert", llama, *options]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith("facet: ")
    assert message in err


def test_a_missing_model_is_reported_in_a_sentence(home: Path, capsys: Output) -> None:
    """Without a revision, the Hub is not asked."""
    assert main(["convert", "owner/absent", "--recipe", "4bit"]) == 1
    assert "No model is called 'owner/absent'" in capsys.readouterr().err


def test_an_existing_folder_is_not_overwritten(llama: str, home: Path, capsys: Output) -> None:
    """The message suggests a free name."""
    target = home / "models" / Path(llama).parent.name / "llama-4bit-g32"
    target.mkdir(parents=True)
    assert main(["convert", llama, "--recipe", "4bit-g32"]) == 1
    assert "llama-4bit-g32-2" in capsys.readouterr().err
    assert list(target.iterdir()) == []


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(("interrupt", "code"), [(processes.interrupt, 130), (kill, -signal.SIGKILL)])
def test_an_interrupted_command_leaves_no_files(
    tiny_models: Path, tmp_path: Path, home: Path, interrupt: Callable[[int], None], code: int
) -> None:
    """After a kill, its job process ends by itself."""
    source = pausing_job.pause_midway(write_llama(tmp_path / "large", tiny_models / "llama"))
    arguments = ["convert", str(source), "--recipe", "mxfp4", "--json"]
    command = command_line.command(*arguments, job=pausing_job.COMMAND)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        next(line for line in child.stdout if "conversion_progress" in line)
        assert list(home.rglob("*.partial"))
        jobs = psutil.Process(child.pid).children()
        interrupt(child.pid)
        child.communicate(timeout=60)
        assert not psutil.wait_procs(jobs, timeout=60)[1]
    assert child.returncode == code
    assert [path for path in (home / "models").rglob("*") if path.is_file()] == []


@pytest.fixture
def remote(hub: Hub, llama: str) -> Repository:
    """A model on the Hub, in several files."""
    repository = Repository("convert/remote")
    repository.commit(split_weights(Path(llama), 3))
    return hub.add(repository)


def test_a_repository_is_converted_during_its_download(remote: Repository, capsys: Output) -> None:
    """The result records the commit, and the original is removed."""
    command = ["convert", "convert/remote@main", "--recipe", "4bit-g32"]
    assert main([*command, "--remove-source"]) == 0
    out, err = capsys.readouterr()
    folder = Path(out.strip())
    assert folder.parts[-3:] == ("models", "convert", "remote-4bit-g32")
    note = provenance.read(folder)
    assert (note.source, note.revision) == ("convert/remote", remote.main)
    assert "removed files must be downloaded again" in err
    assert not list(cache_folder().glob("models--convert--remote/blobs/*"))


def test_a_repository_is_downloaded_first_for_several_recipes(
    remote: Repository, tmp_path: Path, capsys: Output
) -> None:
    """Its files are used more than once, and are removed at the end."""
    command = ["convert", "convert/remote@main", "--recipe", "4bit-g32", "--recipe", "fp16", "--remove-source"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    assert [Path(line).name for line in capsys.readouterr().out.splitlines()] == ["remote-4bit-g32", "remote-fp16"]
    assert not list(cache_folder().glob("models--convert--remote/blobs/*"))


def test_a_dry_run_downloads_no_weights(remote: Repository, llama: str, tmp_path: Path, capsys: Output) -> None:
    """The forecast equals that of local files."""
    command = ["convert", f"{remote.id}@main", "--recipe", "4bit-g32", "--dry-run", "--json"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    forecast = json.loads(capsys.readouterr().out)
    assert main(["convert", llama, "--recipe", "4bit-g32", "--dry-run", "--json"]) == 0
    local = json.loads(capsys.readouterr().out)
    for field in ("size_bytes", "bits_per_weight", "unquantized", "layers"):
        assert forecast[field] == local[field]
    assert not list(cache_folder().glob("models--convert--remote/blobs/*"))


def test_the_original_is_removed_only_on_request(tmp_path: Path, llama: str, capsys: Output) -> None:
    """Without the Trash."""
    source = shutil.copytree(llama, tmp_path / "original")
    assert main(["convert", str(source), "--recipe", "fp16", "--out", str(tmp_path / "out")]) == 0
    assert (source / "model.safetensors").exists()
    shutil.rmtree(tmp_path / "out")
    assert main(["convert", str(source), "--recipe", "fp16", "--out", str(tmp_path / "out"), "--remove-source"]) == 0
    assert not source.exists()


def test_recipes_are_listed(capsys: Output) -> None:
    """As a table; as JSON, with all fields."""
    assert main(["recipes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(RECIPES)
    assert next(line for line in lines if line.startswith("4bit")).split()[1] == "4.5"
    assert main(["recipes", "--json"]) == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [fields["name"] for fields in listed] == [recipe.name for recipe in RECIPES]


def test_llama_cpp_names_are_listed(capsys: Output) -> None:
    """With the closest recipe and the difference."""
    assert main(["recipes", "--llama-cpp", "--json"]) == 0
    matches = {line["name"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert matches["Q4_1"]["recipe"] == "4bit-g32"
    assert matches["Q4_K_M"]["difference"]
