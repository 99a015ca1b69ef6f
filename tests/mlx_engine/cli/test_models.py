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
    """A temporary home for Facet and for the programs whose folders it searches."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


@pytest.fixture
def models(home: Path) -> Path:
    """A library with a 16-bit model and a damaged one."""
    write_model(home / "facet" / "models" / "owner" / "tiny", num_hidden_layers=0)
    (home / "facet" / "models" / "owner" / "broken").mkdir()
    return home / "facet" / "models"


def output(arguments: list[str], capsys: Output) -> str:
    """Run a successful command; return its standard output."""
    assert main(arguments) == 0
    return capsys.readouterr().out


def objects(arguments: list[str], capsys: Output) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output(arguments, capsys).splitlines()]


def test_the_library_is_listed_as_a_table(models: Path, home: Path, capsys: Output) -> None:
    """A damaged model is listed with its problem."""
    write_snapshot(home / "hub", "models--someone--cached")
    write_model(home / ".lmstudio" / "models" / "studio" / "other", model_type="bert")
    lines = output(["models"], capsys).splitlines()
    columns = "Name Class Parameters Quantization Bits/weight On disk Context License Location"
    assert lines[0].split() == columns.split()
    tiny = next(line for line in lines if line.startswith("tiny"))
    assert tiny.split() == ["tiny", "nano", "704", "bf16", "16.00", "2", "KB", "4,096", "unknown", "Facet"]
    assert any(line.startswith("cached") and line.rstrip().endswith("Hugging Face") for line in lines)
    assert any(line.startswith("other") and line.rstrip().endswith("LM Studio, can't run") for line in lines)
    assert any(line.startswith("owner/broken: config.json is missing") for line in lines)


def test_the_library_is_listed_as_json(models: Path, capsys: Output) -> None:
    """A damaged model has a problem instead of figures."""
    rows = {model["id"]: model for model in objects(["models", "--json"], capsys)}
    assert rows["owner/tiny"]["parameters"] == 704
    assert (rows["owner/tiny"]["size_class"], rows["owner/tiny"]["origin"]) == ("nano", "facet")
    assert rows["owner/broken"]["problem"]


def test_an_empty_library_says_what_to_do(capsys: Output) -> None:
    """It is not an error."""
    assert main(["models"]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "facet chat" in err


def test_additional_folders_are_searched(home: Path, capsys: Output) -> None:
    """A missing one, such as an unplugged disk, is reported without failing."""
    write_model(home / "disk" / "owner" / "far")
    assert main(["models", "--json", "--folder", str(home / "disk"), "--folder", str(home / "unplugged")]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["origin"] == "added"
    assert f"{home / 'unplugged'} is not available." in err


@pytest.mark.parametrize("arguments", [["models", "show"], ["fit"], ["models", "rm", "--yes"]])
def test_folders_added_in_the_window_are_searched(
    arguments: list[str], home: Path, trash: Path, capsys: Output
) -> None:
    write_model(home / "disk" / "owner" / "far", num_hidden_layers=0)
    Preferences(home / "facet" / "settings.json").set("model_folders", (str(home / "disk"), str(home / "unplugged")))
    (fields,) = objects(["models", "--json"], capsys)
    assert (fields["id"], fields["origin"]) == ("owner/far", "added")
    assert main([*arguments, "owner/far"]) == 0


@pytest.mark.parametrize("content", [b"", b"[]", b'{"model_folders": 3}', b"\xff", b'{"model_folders": ["/a", 1]}'])
def test_damaged_settings_add_no_folders(content: bytes, models: Path, capsys: Output) -> None:
    """The window reports them; the library is listed anyway."""
    (models.parent / "settings.json").write_bytes(content)
    assert len(objects(["models", "--json"], capsys)) == 2


def test_duplicates_are_listed_with_the_space_they_waste(models: Path, capsys: Output) -> None:
    shutil.copytree(models / "owner" / "tiny", models / "another" / "copy")
    (group,) = objects(["models", "--duplicates", "--json"], capsys)
    weights = (models / "owner" / "tiny" / "model.safetensors").stat().st_size
    assert group == {"ids": ["another/copy", "owner/tiny"], "reclaimable_bytes": weights}
    assert "same weights" in output(["models", "--duplicates"], capsys)


def test_a_model_is_shown_with_the_bits_of_its_layers(starter_model: Path, capsys: Output) -> None:
    """Equal consecutive layers share a line."""
    text = output(["models", "show", str(starter_model)], capsys)
    assert "134,515,008 (micro)" in text
    assert "30 layers with all tokens" in text
    assert "Layers 0-29" in text
    (fields,) = objects(["models", "show", str(starter_model), "--json"], capsys)
    assert len(fields["layers"]) == 31
    assert fields["layers"][0]["bits"] == {"model.embed_tokens": 8}


def test_a_gguf_file_is_shown_with_the_need_to_import_it(home: Path, capsys: Output) -> None:
    text = output(["models", "show", str(tiny_model().write(home / "tiny.gguf"))], capsys)
    assert "Q4_0" in text
    assert "Import this GGUF file" in text


@pytest.mark.parametrize("name", ["owner/tiny", "broken"])
def test_a_model_is_moved_to_the_trash(name: str, models: Path, trash: Path, capsys: Output) -> None:
    """A damaged one too; the output reports the space it frees."""
    (result,) = objects(["models", "rm", name, "--yes", "--json"], capsys)
    folder = models / "owner" / name.rpartition("/")[2]
    assert result["paths"] == [str(folder)]
    assert not folder.exists()
    assert (trash / folder.name).is_dir()
    assert result["frees_bytes"] == sum(file.stat().st_size for file in (trash / folder.name).iterdir())


def test_nothing_is_deleted_without_confirmation(models: Path, trash: Path, capsys: Output) -> None:
    """Without a terminal, --yes is required."""
    assert main(["models", "rm", "owner/tiny"]) == 1
    assert "--yes" in capsys.readouterr().err
    assert (models / "owner" / "tiny").is_dir()


@pytest.mark.parametrize("name", ["tiny", "owner/broken"])
def test_a_model_is_renamed(name: str, models: Path, capsys: Output) -> None:
    """A damaged one too; the owner stays."""
    (result,) = objects(["models", "rename", name, "other", "--json"], capsys)
    assert (result["id"], Path(result["path"])) == ("owner/other", models / "owner" / "other")
    assert (models / "owner" / "other").is_dir()
    assert not (models / "owner" / name.rpartition("/")[2]).exists()


def test_a_loaded_model_is_not_renamed(models: Path, capsys: Output) -> None:
    descriptor = os.open(models / "owner" / "tiny", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    assert main(["models", "rename", "tiny", "other"]) == 1
    os.close(descriptor)
    assert "is loaded" in capsys.readouterr().err
    assert (models / "owner" / "tiny").is_dir()


def test_the_memory_estimate_is_a_sum(starter_model: Path, capsys: Output) -> None:
    text = output(["fit", str(starter_model), "--context", "2048"], capsys)
    for part in ("Weights", "2,048 tokens", "Working memory", "Total", "Kept free", "Fits."):
        assert part in text
    (result,) = objects(["fit", str(starter_model), "--context", "2048", "--json"], capsys)
    estimate = result["estimate"]
    assert estimate["context"] == 2048
    assert estimate["cache_bytes"] > 0
    assert result["verdict"] == "fits"
    assert result["largest_context"] == 8192


@pytest.mark.parametrize("context", ["-1", "9000"])
def test_a_context_beyond_the_models_maximum_is_refused(context: str, starter_model: Path, capsys: Output) -> None:
    assert main(["fit", str(starter_model), "--context", context]) == 1
    assert "from 1 to 8,192" in capsys.readouterr().err


def model_folder(home: Path) -> Path:
    return write_model(home / "elsewhere" / "mine")


def gguf_file(home: Path) -> Path:
    return tiny_model().write(home / "mine.gguf")


def folder_of_a_gguf_file(home: Path) -> Path:
    (home / "elsewhere").mkdir()
    return tiny_model().write(home / "elsewhere" / "mine.gguf").parent


def folder_with_side_files(home: Path) -> Path:
    """A GGUF file with its vision part, on a disk in exFAT."""
    folder = folder_of_a_gguf_file(home)
    for name in ("._mine.gguf", "mmproj-mine.gguf"):
        (folder / name).write_bytes(b"not a model")
    return folder


@pytest.mark.parametrize("source", [model_folder, gguf_file, folder_of_a_gguf_file, folder_with_side_files])
def test_folders_and_gguf_files_are_imported(source: Callable[[Path], Path], home: Path, capsys: Output) -> None:
    *steps, end = objects(["import", str(source(home)), "--json"], capsys)
    assert end == {"id": "imported/mine", "path": str(home / "facet" / "models" / "imported" / "mine")}
    assert steps[-1] == {"percent": 100}
    assert [model["id"] for model in objects(["models", "--json"], capsys)] == ["imported/mine"]


@pytest.mark.parametrize("name", ["plain", "a/b/c", "../up", "/root/x", "a/.hidden", "a/b.partial"])
def test_an_invalid_name_is_refused(name: str, home: Path, capsys: Output) -> None:
    """Nothing is written outside the library."""
    source = gguf_file(home)
    before = sorted(home.rglob("*"))
    assert main(["import", str(source), "--name", name]) == 1
    assert "--name OWNER/NAME" in capsys.readouterr().err
    assert sorted(home.rglob("*")) == before


def test_a_folder_without_a_model_is_not_imported(home: Path, capsys: Output) -> None:
    """No files are left behind."""
    (home / "empty").mkdir()
    assert main(["import", str(home / "empty")]) == 1
    assert "config.json is missing" in capsys.readouterr().err
    assert not (home / "facet" / "models" / "imported" / "empty").exists()
