import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.viewmodels.bridges.preferences import Preferences
from mlx_engine.cli.main import main
from tests.gguf_files import tiny_model
from tests.hub_snapshots import write_snapshot
from tests.model_folders import write_model
from tests.trash import trash

__all__ = ["trash"]

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, for Facet and for the other programs whose folders it looks into."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def models(home: Path) -> Path:
    """A library of Facet's own: a model in 16 bits, a broken one."""
    write_model(home / "facet" / "models" / "owner" / "tiny", num_hidden_layers=0)
    (home / "facet" / "models" / "owner" / "broken").mkdir()
    return home / "facet" / "models"


def output(arguments: list[str], capsys: Output) -> str:
    """Run the command line, which succeeds; return its standard output."""
    assert main(arguments) == 0
    return capsys.readouterr().out


def objects(arguments: list[str], capsys: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output(arguments, capsys).splitlines()]


def test_the_library_is_a_table(models: Path, home: Path, capsys: Output) -> None:
    """One line a model, with its figures, its class and whose it is; what cannot be used says why."""
    write_snapshot(home / "hub", "models--someone--cached")
    write_model(home / ".lmstudio" / "models" / "studio" / "other", model_type="bert")
    lines = output(["models"], capsys).splitlines()
    columns = ["name", "class", "parameters", "quantization", "bits/weight", "size", "context", "license", "source"]
    assert lines[0].split() == columns
    tiny = next(line for line in lines if line.startswith("tiny"))
    assert tiny.split() == ["tiny", "nano", "704", "bf16", "16.00", "2", "KB", "4,096", "unknown", "Facet"]
    assert any(line.startswith("cached") and line.rstrip().endswith("Hugging Face cache") for line in lines)
    assert any(line.startswith("other") and line.rstrip().endswith("LM Studio, cannot be run") for line in lines)
    assert any(line.startswith("owner/broken: config.json is missing") for line in lines)


def test_the_library_as_json_is_one_object_a_line(models: Path, capsys: Output) -> None:
    """For scripts; a model that cannot be used has a problem instead of figures."""
    found = {model["id"]: model for model in objects(["models", "--json"], capsys)}
    assert found["owner/tiny"]["parameters"] == 704
    assert (found["owner/tiny"]["size_class"], found["owner/tiny"]["origin"]) == ("nano", "facet")
    assert found["owner/broken"]["problem"]


def test_an_empty_library_says_what_to_do(capsys: Output) -> None:
    """And is no error."""
    assert main(["models"]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "facet chat" in err


def test_further_folders_are_looked_into_if_they_are_there(home: Path, capsys: Output) -> None:
    """One that is not, on a disk that is unplugged, is told calmly."""
    write_model(home / "disk" / "owner" / "far")
    assert main(["models", "--json", "--folder", str(home / "disk"), "--folder", str(home / "unplugged")]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["origin"] == "added"
    assert f"{home / 'unplugged'} is not there now." in err


@pytest.mark.parametrize("arguments", [["models", "show"], ["fit"], ["models", "rm", "--yes"]])
def test_folders_that_were_added_in_the_window_are_looked_into(
    arguments: list[str], home: Path, trash: Path, capsys: Output
) -> None:
    """The settings name them once for the whole of Facet."""
    write_model(home / "disk" / "owner" / "far", num_hidden_layers=0)
    Preferences(home / "facet" / "settings.json").set("model_folders", (str(home / "disk"), str(home / "unplugged")))
    (found,) = objects(["models", "--json"], capsys)
    assert (found["id"], found["origin"]) == ("owner/far", "added")
    assert main([*arguments, "owner/far"]) == 0


@pytest.mark.parametrize("content", [b"", b"[]", b'{"model_folders": 3}', b"\xff", b'{"model_folders": ["/a", 1]}'])
def test_damaged_settings_add_no_folders(content: bytes, models: Path, capsys: Output) -> None:
    """The window tells of them; the library is listed all the same."""
    (models.parent / "settings.json").write_bytes(content)
    assert len(objects(["models", "--json"], capsys)) == 2


def test_duplicates_are_listed_with_what_they_cost(models: Path, capsys: Output) -> None:
    """The weights of one of the two."""
    shutil.copytree(models / "owner" / "tiny", models / "another" / "copy")
    (found,) = objects(["models", "--duplicates", "--json"], capsys)
    weights = (models / "owner" / "tiny" / "model.safetensors").stat().st_size
    assert found == {"ids": ["another/copy", "owner/tiny"], "reclaimable_bytes": weights}
    assert "the same weights" in output(["models", "--duplicates"], capsys)


def test_a_model_is_shown_with_the_bits_of_its_layers(starter_model: Path, capsys: Output) -> None:
    """Layers in a row that are alike share a line."""
    shown = output(["models", "show", str(starter_model)], capsys)
    assert "134,515,008 (micro)" in shown
    assert "30 layers keep every token" in shown
    assert "layers 0-29" in shown
    (fields,) = objects(["models", "show", str(starter_model), "--json"], capsys)
    assert len(fields["layers"]) == 31
    assert fields["layers"][0]["bits"] == {"model.embed_tokens": 8}


def test_a_gguf_file_is_shown_with_what_keeps_it_from_running(home: Path, capsys: Output) -> None:
    """Its types are named, and that it must be imported."""
    shown = output(["models", "show", str(tiny_model().write(home / "tiny.gguf"))], capsys)
    assert "Q4_0" in shown
    assert "Import this GGUF file" in shown


@pytest.mark.parametrize("name", ["owner/tiny", "broken"])
def test_a_model_is_deleted_whole_or_broken(name: str, models: Path, trash: Path, capsys: Output) -> None:
    """It lies in the trash, and the answer says what that frees."""
    (told,) = objects(["models", "rm", name, "--yes", "--json"], capsys)
    folder = models / "owner" / name.rpartition("/")[2]
    assert told["paths"] == [str(folder)]
    assert not folder.exists()
    assert (trash / folder.name).is_dir()
    assert told["frees_bytes"] == sum(file.stat().st_size for file in (trash / folder.name).iterdir())


def test_nothing_is_deleted_without_an_answer(models: Path, trash: Path, capsys: Output) -> None:
    """Where nobody can be asked, --yes is needed."""
    assert main(["models", "rm", "owner/tiny"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert (models / "owner" / "tiny").is_dir()


@pytest.mark.parametrize("name", ["tiny", "owner/broken"])
def test_a_model_is_renamed_whole_or_broken(name: str, models: Path, capsys: Output) -> None:
    """Its owner stays; the answer says where it is now."""
    (told,) = objects(["models", "rename", name, "other", "--json"], capsys)
    assert (told["id"], Path(told["path"])) == ("owner/other", models / "owner" / "other")
    assert (models / "owner" / "other").is_dir()
    assert not (models / "owner" / name.rpartition("/")[2]).exists()


def test_a_model_that_is_loaded_is_not_renamed(models: Path, capsys: Output) -> None:
    """As it is not deleted."""
    descriptor = os.open(models / "owner" / "tiny", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert main(["models", "rename", "tiny", "other"]) == 1
    os.close(descriptor)
    assert "is loaded" in capsys.readouterr().err
    assert (models / "owner" / "tiny").is_dir()


def test_whether_a_model_fits_is_a_sum(starter_model: Path, capsys: Output) -> None:
    """The parts are shown, and make what is shown together."""
    shown = output(["fit", str(starter_model), "--context", "2048"], capsys)
    for word in ("Weights", "2,048 tokens", "Working memory", "Total", "Kept free", "It fits."):
        assert word in shown
    (result,) = objects(["fit", str(starter_model), "--context", "2048", "--json"], capsys)
    need = result["estimate"]
    assert need["context"] == 2048
    assert need["cache_bytes"] > 0
    assert result["verdict"] == "fits"
    assert result["largest_context"] == 8192


@pytest.mark.parametrize("context", ["-1", "9000"])
def test_a_context_that_the_model_does_not_have_is_refused(context: str, starter_model: Path, capsys: Output) -> None:
    """With the range that it has."""
    assert main(["fit", str(starter_model), "--context", context]) == 1
    assert "from 1 to 8,192" in capsys.readouterr().err


def whole_folder(home: Path) -> Path:
    return write_model(home / "elsewhere" / "mine")


def gguf_file(home: Path) -> Path:
    return tiny_model().write(home / "mine.gguf")


def folder_of_a_gguf_file(home: Path) -> Path:
    (home / "elsewhere").mkdir()
    return tiny_model().write(home / "elsewhere" / "mine.gguf").parent


@pytest.mark.parametrize("source", [whole_folder, gguf_file, folder_of_a_gguf_file])
def test_folders_and_gguf_files_are_imported(source: Callable[[Path], Path], home: Path, capsys: Output) -> None:
    """Each becomes a model of Facet's own."""
    *steps, end = objects(["import", str(source(home)), "--json"], capsys)
    assert end == {"id": "imported/mine", "path": str(home / "facet" / "models" / "imported" / "mine")}
    assert steps[-1] == {"percent": 100}
    assert [model["id"] for model in objects(["models", "--json"], capsys)] == ["imported/mine"]


@pytest.mark.parametrize("name", ["plain", "a/b/c", "../up", "/root/x", "a/.hidden", "a/b.partial"])
def test_a_name_must_be_owner_and_name(name: str, home: Path, capsys: Output) -> None:
    """Nothing is written anywhere else."""
    source = gguf_file(home)
    before = sorted(home.rglob("*"))
    assert main(["import", str(source), "--name", name]) == 1
    assert "owner/name" in capsys.readouterr().err
    assert sorted(home.rglob("*")) == before


def test_what_is_no_model_is_not_imported(home: Path, capsys: Output) -> None:
    """The reason is told, and nothing stays behind."""
    (home / "empty").mkdir()
    assert main(["import", str(home / "empty")]) == 1
    assert "config.json is missing" in capsys.readouterr().err
    assert not (home / "facet" / "models" / "imported" / "empty").exists()
