import json
from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.files.weight_files import INDEX_NAME, absent_configuration, weight_files

_first, _second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def _folder(path: Path, *names: str, index: object = None, adapter: object = None) -> Path:
    for name in names:
        (path / name).write_bytes(b"")
    for name, content in ((INDEX_NAME, index), ("adapter_config.json", adapter)):
        if content is not None:
            (path / name).write_text(json.dumps(content))
    return path


def _names(path: Path) -> list[str]:
    return [file.name for file in weight_files(path).files]


def test_the_index_decides_and_a_stray_file_is_mentioned(tmp_path: Path) -> None:
    index = {"weight_map": {"a": _first, "b": _second}}
    files = weight_files(_folder(tmp_path, _first, _second, "model.safetensors", index=index))
    assert [file.name for file in files.files] == [_first, _second]
    assert "model.safetensors" in files.describe_strays()


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["model.safetensors", "extra.safetensors"], ["model.safetensors"]),
        ([_first, _second], [_first, _second]),
        (["model-000001-of-000001.safetensors"], ["model-000001-of-000001.safetensors"]),
        (["model.fp16.safetensors"], ["model.fp16.safetensors"]),
        (["model.safetensors", "._model.safetensors"], ["model.safetensors"]),
        (["model.safetensors", "adapters.safetensors"], ["model.safetensors"]),
    ],
)
def test_without_an_index_the_usual_names_count(tmp_path: Path, names: list[str], expected: list[str]) -> None:
    assert _names(_folder(tmp_path, *names)) == expected


@pytest.mark.parametrize("index", [None, {"weight_map": {"a": _first, "b": _second}}])
def test_a_missing_shard_is_named(tmp_path: Path, index: object) -> None:
    with pytest.raises(BrokenModel, match=f"first {_second}"):
        weight_files(_folder(tmp_path, _first, index=index))


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/x.safetensors", "run.py", 3])
def test_an_index_cannot_lead_out_of_the_folder(tmp_path: Path, name: object) -> None:
    with pytest.raises(BrokenModel, match="isn't in the folder"):
        weight_files(_folder(tmp_path, index={"weight_map": {"a": name}}))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["consolidated.safetensors"], "Mistral's own layout"),
        (["weights.safetensors"], "rename it to model.safetensors"),
        (["pytorch_model.bin"], "pickle"),
        (["model.GGUF"], "Import it first"),
        (["adapter_model.safetensors"], "adapter"),
    ],
)
def test_other_files_have_a_reason_of_their_own(tmp_path: Path, names: list[str], reason: str) -> None:
    with pytest.raises(UnsupportedModel, match=reason):
        weight_files(_folder(tmp_path, *names))


def test_the_base_of_an_adapter_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="for ada/Whale"):
        weight_files(_folder(tmp_path, "adapters.safetensors", adapter={"base_model_name_or_path": "ada/Whale"}))


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (["consolidated.safetensors", "params.json"], "Mistral's own layout"),
        (["adapters.safetensors"], "adapter"),
        (["._model.gguf", "model.gguf"], "Import it first"),
        (["model_index.json"], "diffusion"),
    ],
)
def test_a_folder_of_something_else_is_not_downloaded_again(tmp_path: Path, names: list[str], reason: str) -> None:
    """It lacks config.json, but for a reason."""
    error = absent_configuration(_folder(tmp_path, *names))
    assert isinstance(error, UnsupportedModel)
    assert reason in error.message


@pytest.mark.parametrize("names", [[], ["model.safetensors"], ["._model.gguf"]])
def test_a_model_without_configuration_needs_a_download(tmp_path: Path, names: list[str]) -> None:
    error = absent_configuration(_folder(tmp_path, *names))
    assert isinstance(error, BrokenModel)
    assert "Download the model again" in error.message


def test_a_variant_of_the_weights_is_read_if_it_is_the_only_one(tmp_path: Path) -> None:
    """Two have the same tensors, and nothing chooses between them."""
    folder = _folder(tmp_path, "model.fp16.safetensors")
    assert [file.name for file in weight_files(folder).files] == ["model.fp16.safetensors"]
    (folder / "model.fp32.safetensors").write_bytes(b"")
    with pytest.raises(UnsupportedModel, match="several versions"):
        weight_files(folder)


def test_an_empty_folder_needs_a_download(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="Download the model again"):
        weight_files(tmp_path)
