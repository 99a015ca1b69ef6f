"""Outlines of model folders: the parameters of the network, their sources, and mismatches."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.files.safetensors import TensorEntry, read_header
from mlx_engine.quantize.mlx.folder import FolderSource
from mlx_engine.quantize.mlx.tracing import NetworkTrace, trace
from mlx_engine.quantize.plan.lineage import Extent
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.recipe import Format
from tests.model_folders import write_shard
from tests.original_models import write_original


def _outline(folder: Path) -> Outline:
    with closing(FolderSource(folder)) as source:
        return source.outline


def _trace(folder: Path) -> NetworkTrace:
    tensors: dict[str, TensorEntry] = {}
    for file in folder.glob("model*.safetensors"):
        tensors |= read_header(file)
    return trace(json.loads((folder / "config.json").read_text()), tensors, name=folder.name)


@pytest.fixture
def original(tiny_models: Path, tmp_path: Path) -> Path:
    """Return a model that tests can damage."""
    return write_original(tmp_path / "llama", tiny_models / "llama", "llama")


def _edit(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def _rewrite(folder: Path, **changes: tuple[str, tuple[int, ...]] | None) -> None:
    """Replace, add or remove tensors; all become zeros."""
    tensors = {name: (entry.dtype, entry.shape) for name, entry in read_header(folder / "model.safetensors").items()}
    write_shard(
        folder / "model.safetensors", {name: kind for name, kind in (tensors | changes).items() if kind is not None}
    )


def test_an_outline_has_the_network_s_parameters_in_its_order(originals: Path) -> None:
    """With the formats that the architecture requires."""
    outline = _outline(originals / "qwen3_moe" / "original")

    assert (outline.architecture, outline.layers, outline.dtype) == ("qwen3_moe", 2, "bfloat16")
    parameters = {parameter.name: parameter for parameter in outline.parameters}
    assert next(iter(parameters)) == "model.embed_tokens.weight"
    experts = parameters["model.layers.0.mlp.switch_mlp.up_proj.weight"]
    assert (experts.shape, experts.dtype, experts.can_be_quantized) == ((4, 64, 128), "BF16", True)
    assert parameters["model.layers.0.mlp.gate.weight"].prescribed == Format(bits=8)
    assert not parameters["model.norm.weight"].can_be_quantized


def test_stacked_experts_are_read_from_their_tensors(originals: Path) -> None:
    """One after another."""
    traced = _trace(originals / "qwen3_moe" / "original")

    assert traced.arrays["model.layers.1.mlp.switch_mlp.down_proj.weight"].lineage.extents == tuple(
        Extent(f"model.layers.1.mlp.experts.{expert}.down_proj.weight", 0, 2 * 128 * 64) for expert in range(4)
    )


def test_only_transposed_tensors_are_computed(originals: Path) -> None:
    """Two matrices in one tensor are split without computing; a convolution is transposed."""
    for architecture, calculated in {"granitemoe": [], "lfm2": ["model.layers.0.conv.conv.weight"]}.items():
        traced = _trace(originals / architecture / "original")

        assert [name for name, array in traced.arrays.items() if array.lineage.extents is None] == calculated


def test_tensors_that_the_network_does_not_use_are_reported(originals: Path) -> None:
    """Mostly the vision tower."""
    dropped = {tensors.prefix: tensors for tensors in _outline(originals / "gemma3" / "original").dropped}

    assert dropped.keys() == {"multi_modal_projector", "vision_tower"}
    assert "only the text part" in dropped["vision_tower"].reason
    assert dropped["vision_tower"].size_bytes == 2 * 64 * 64


def test_layers_are_reported_together(originals: Path) -> None:
    """One line for the same tensor of all layers."""
    (dropped,) = _outline(originals / "llama" / "original").dropped

    assert dropped.prefix == "model.layers.*.self_attn.rotary_emb"


def test_a_missing_tensor_is_named(original: Path) -> None:
    """With the number of missing tensors."""
    _rewrite(original, **{"model.layers.1.mlp.up_proj.weight": None, "model.norm.weight": None})

    with pytest.raises(BrokenModel, match=r"lacks 2 tensors .*model\.layers\.1\.mlp\.up_proj\.weight"):
        _outline(original)


def test_an_unexpected_tensor_is_named(original: Path) -> None:
    """Without it, the network would compute something else."""
    _rewrite(original, **{"model.layers.1.mlp.up_proj.bias": ("BF16", (160,))})

    with pytest.raises(UnsupportedModel, match=r"model\.layers\.1\.mlp\.up_proj\.bias"):
        _outline(original)


def test_a_tensor_of_another_shape_is_named(original: Path) -> None:
    """With both shapes."""
    _rewrite(original, **{"model.norm.weight": ("BF16", (64,))})

    with pytest.raises(BrokenModel, match=r"model\.norm\.weight is \(64,\) in the files, but \(128,\)"):
        _outline(original)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model_type": "perceptron"}, "perceptron"),
        ({"model_file": "modeling_tiny.py"}, "never runs"),
        ({"quantization_config": {"quant_method": "hqq", "bits": 4}}, "hqq"),
    ],
)
def test_a_network_that_cannot_be_converted_is_rejected_by_name(
    original: Path, changes: dict[str, Any], sentence: str
) -> None:
    """No code of the folder runs."""
    _edit(original, **changes)

    with pytest.raises(UnsupportedModel, match=sentence):
        _outline(original)


def test_an_inconsistent_configuration_is_rejected(original: Path) -> None:
    _edit(original, num_hidden_layers=None)

    with pytest.raises(BrokenModel, match="Couldn't open"):
        _outline(original)
