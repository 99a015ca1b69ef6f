"""Opening complete and damaged model folders."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import mlx.core as mx
import pytest
from mlx.utils import tree_flatten

from mlx_engine.errors import BrokenModel, ModelError, ModelNotFound, UnsupportedModel
from mlx_engine.inference.load import open_model
from tests.gguf_files import tiny_model


def change_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def change_weights(folder: Path, change: Callable[[dict[str, mx.array]], object]) -> None:
    weights = mx.load(str(folder / "model.safetensors"))
    mx.eval(weights)
    change(weights)
    mx.save_safetensors(str(folder / "model.safetensors"), weights)


def truncate(folder: Path) -> None:
    shard = folder / "model.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1000])


def list_a_missing_shard(folder: Path) -> None:
    names = {"weight_map": {"model.norm.weight": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(names))


def leave_a_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def bring_a_tokenizer_of_its_own(folder: Path) -> None:
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings |= {"tokenizer_class": "OwnTokenizer", "auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


damages: dict[str, tuple[Callable[[Path], object], type[ModelError], str]] = {
    "missing": (shutil.rmtree, ModelNotFound, "no longer exists"),
    "empty": (lambda folder: [file.unlink() for file in folder.iterdir()], BrokenModel, "config.json"),
    "truncated": (truncate, BrokenModel, "truncated"),
    "shard": (list_a_missing_shard, BrokenModel, "model-00002-of-00002.safetensors"),
    "config missing": (lambda folder: (folder / "config.json").unlink(), BrokenModel, "config.json"),
    "config no JSON": (lambda folder: (folder / "config.json").write_text("{"), BrokenModel, "config.json"),
    "no model_type": (lambda folder: change_config(folder, model_type=None), BrokenModel, "model_type"),
    "unknown": (lambda folder: change_config(folder, model_type="orthogonal"), UnsupportedModel, "orthogonal"),
    "no network": (lambda folder: change_config(folder, model_type="cache"), UnsupportedModel, "cache"),
    "a library": (lambda folder: change_config(folder, model_type="olmo"), UnsupportedModel, "needs a library"),
    "no heads": (lambda folder: change_config(folder, num_attention_heads=0), BrokenModel, "don't match each other"),
    "own code": (lambda folder: change_config(folder, model_file="own.py"), UnsupportedModel, "never runs"),
    "own tokenizer": (bring_a_tokenizer_of_its_own, UnsupportedModel, "never runs"),
    "shape": (
        lambda folder: change_weights(folder, lambda weights: weights.update({"model.norm.weight": mx.ones((3,))})),
        UnsupportedModel,
        "model.norm.weight",
    ),
    "tensor": (
        lambda folder: change_weights(folder, lambda weights: weights.pop("model.norm.weight")),
        UnsupportedModel,
        "model.norm.weight",
    ),
    "tokenizer missing": (lambda folder: (folder / "tokenizer.json").unlink(), BrokenModel, "tokenizer"),
    "setting": (lambda folder: change_config(folder, rms_norm_eps="small"), BrokenModel, "don't match each other"),
    "tokenizer no JSON": (
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        BrokenModel,
        "don't match each other",
    ),
    "pickle": (leave_a_pickle, UnsupportedModel, "pickle"),
}


@pytest.mark.parametrize("damage", damages)
def test_a_damaged_folder_is_rejected_with_a_reason(damage: str, tiny_models: Path, tmp_path: Path) -> None:
    """Each kind of damage has its error and message; no code of the folder runs."""
    folder, witness = tmp_path / "model", tmp_path / "witness"
    shutil.copytree(tiny_models / "llama", folder)
    (folder / "own.py").write_text(f"import pathlib\npathlib.Path({str(witness)!r}).touch()\n")
    do_damage, kind, words = damages[damage]
    do_damage(folder)
    with pytest.raises(kind) as caught:
        open_model(folder)
    assert words in caught.value.message
    assert caught.value.message.endswith(".")
    assert not witness.exists()


def test_a_gguf_file_is_not_a_damaged_folder(tmp_path: Path) -> None:
    """The message suggests importing it."""
    with pytest.raises(UnsupportedModel, match="Import this GGUF file"):
        open_model(tiny_model().write(tmp_path / "model.gguf"))


def test_progress_reaches_the_size_of_the_weights(tiny_models: Path) -> None:
    """It increases to the total that was announced at the start."""
    model = open_model(tiny_models / "llama")
    figures = list(model.read_weights())
    assert figures == sorted(set(figures))
    assert figures[-1] == model.weights_bytes


def test_the_cpu_computes_in_float32(tiny_models: Path) -> None:
    """Packed weights with float16 scales become unpacked float32 weights, with the same results."""
    model = open_model(tiny_models / "llama-4bit")
    assert {weight.dtype for _, weight in tree_flatten(model.network.parameters())} == {mx.float32}
    packed = mx.load(str(tiny_models / "llama-4bit" / "model.safetensors"))
    layer = "model.layers.0.mlp.up_proj"
    scales, biases = (packed[f"{layer}.{part}"].astype(mx.float32) for part in ("scales", "biases"))
    expected = mx.dequantize(packed[f"{layer}.weight"], scales, biases, group_size=32, bits=4)
    assert mx.array_equal(model.network.layers[0].mlp.up_proj.weight, expected)


def test_an_open_model_has_the_properties_of_its_folder(tiny_models: Path) -> None:
    """Its context length, and whether its template supports thinking."""
    models = {name: open_model(tiny_models / name) for name in ("llama", "qwen3")}
    assert {model.context_length for model in models.values()} == {2048}
    assert {name: model.can_think for name, model in models.items()} == {"llama": False, "qwen3": True}
