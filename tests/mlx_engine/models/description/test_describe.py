import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlx_engine.errors import BrokenModel, FacetError, ModelNotFound, StorageError, UnsupportedModel
from mlx_engine.models.description.describe import describe, read_bit_map
from tests.model_folders import write_model, write_shard


def packed(bits: int, group: int, layer: str = "layer", rows: int = 4, columns: int = 128) -> dict[str, Any]:
    """Return the tensors of a quantized layer."""
    groups = ("F16", (rows, columns // group))
    weight = ("U32", (rows, columns * bits // 32))
    return {f"{layer}.weight": weight, f"{layer}.scales": groups, f"{layer}.biases": groups}


def test_a_plain_model(tmp_path: Path) -> None:
    """Every field comes from the configuration and the headers."""
    folder = write_model(tmp_path / "owner" / "tiny")
    model = describe(folder, "owner/tiny")
    assert (model.id, model.name, model.path, model.architecture) == ("owner/tiny", "tiny", folder, "llama")
    assert model.parameters == 10 * 64 + 64
    assert model.bits_per_weight == 16
    assert model.quantization == "bf16"
    assert model.size_bytes == sum(file.stat().st_size for file in folder.iterdir())
    assert model.context_length == 4096
    assert not model.has_chat_template
    assert (model.license, model.source) == ("", "")


def test_the_starter_model(starter_model: Path) -> None:
    """With its size, and the bits of its scales included."""
    model = describe(starter_model, "owner/starter")
    assert model.parameters == 134_515_008
    assert model.quantization == "mixed 4/8-bit g32"
    # Scales and biases add 2 x 16 bits to each group of 32; an eighth of the weights is in 8 bits.
    embedding, norms = 49152 * 576, 61 * 576
    bits = 9 * embedding + 5 * (model.parameters - embedding - norms) + 16 * norms
    assert model.bits_per_weight == pytest.approx(bits / model.parameters)
    assert model.context_length == 8192
    assert model.has_chat_template
    assert model.license == "apache-2.0"


def test_describing_needs_no_mlx(starter_model: Path) -> None:
    """Neither a description, the library nor the starter model imports MLX or its dependencies."""
    program = (
        "import sys; from pathlib import Path; from mlx_engine.models.description import describe\n"
        "from mlx_engine.models.library import library, starter\n"
        "describe.describe(Path(sys.argv[1]), 'a/b')\n"
        "sys.exit(' '.join({'mlx', 'mlx_lm', 'transformers', 'numpy', 'tokenizers'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program, str(starter_model)], check=True)


@pytest.mark.parametrize(
    ("tensors", "quantization", "words", "parameters"),
    [
        (packed(4, 64), {"bits": 4, "group_size": 64}, "4-bit g64", 512),
        (packed(3, 32), {"bits": 3, "group_size": 32, "mode": "affine"}, "3-bit g32", 512),
        (
            packed(4, 64) | packed(8, 64, "head"),
            {"bits": 4, "group_size": 64, "head": {"bits": 8, "group_size": 64}},
            "mixed 4/8-bit g64",
            1024,
        ),
        (packed(4, 64) | packed(6, 64, "head"), {"bits": 4, "group_size": 64}, "mixed 4/6-bit g64", 1024),
        (
            packed(4, 64) | packed(4, 32, "head"),
            {"bits": 4, "group_size": 64, "head": {"bits": 4, "group_size": 32}},
            "4-bit g32/64",
            1024,
        ),
        (
            {"layer.weight": ("U32", (4, 16)), "layer.scales": ("U8", (4, 4))},
            {"bits": 4, "group_size": 32, "mode": "mxfp4"},
            "mxfp4 g32",
            512,
        ),
        (
            packed(4, 64) | {"norm.weight": ("BF16", (128,)), "layer.bias": ("BF16", (4,))},
            {"bits": 4, "group_size": 64},
            "4-bit g64",
            512 + 128 + 4,
        ),
    ],
)
def test_quantized_models(
    tensors: dict[str, Any], quantization: dict[str, Any], words: str, parameters: int, tmp_path: Path
) -> None:
    """Weights are counted unpacked, and the precision is that of the file."""
    model = describe(write_model(tmp_path / "m", tensors, quantization=quantization), "a/m")
    assert model.quantization == words
    assert model.parameters == parameters


@pytest.mark.parametrize(
    ("config", "length"),
    [
        ({"max_position_embeddings": None, "text_config": {"max_position_embeddings": 77}}, 77),
        ({"max_position_embeddings": None, "n_positions": 1024}, 1024),
        ({"max_position_embeddings": "long"}, 0),
    ],
)
def test_the_context_length_is_read_from_all_its_fields(config: dict[str, Any], length: int, tmp_path: Path) -> None:
    """In the text configuration, by an older name, or absent."""
    assert describe(write_model(tmp_path / "m", **config), "a/m").context_length == length


@pytest.mark.parametrize(
    ("name", "content", "has"),
    [
        ("chat_template.jinja", "{{ messages }}", True),
        ("chat_template.json", '{"chat_template": "x"}', True),
        ("chat_template.json", "{}", False),
        ("tokenizer_config.json", '{"chat_template": [{"name": "default", "template": "x"}]}', True),
        ("tokenizer_config.json", '{"chat_template": "x"}', True),
        ("tokenizer_config.json", "{}", False),
    ],
)
def test_a_chat_template_is_read_from_all_its_locations(name: str, content: str, has: bool, tmp_path: Path) -> None:
    """Its own file, or a field of the tokenizer's configuration."""
    folder = write_model(tmp_path / "m")
    (folder / name).write_text(content)
    assert describe(folder, "a/m").has_chat_template is has


def test_shards_are_read_together(tmp_path: Path) -> None:
    """Several weight files are one model."""
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    for number in (1, 2):
        write_shard(folder / f"model-{number}-of-2.safetensors", {f"w{number}": ("F16", (8, 8))})
    assert describe(folder, "a/m").parameters == 128


def replaced(name: str, content: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).write_text(content)

    return change


def removed(name: str, instead: str = "") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        if instead:
            (folder / instead).write_text("weights")

    return change


def endless_config(folder: Path) -> None:
    with (folder / "config.json").open("wb") as file:
        file.truncate(100 * 2**20)


def shortened(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])


def lacking_a_shard(folder: Path) -> None:
    places = {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


def packed_without_settings(folder: Path) -> None:
    write_shard(folder / "model.safetensors", packed(4, 64))


def packed_otherwise_than_said(folder: Path) -> None:
    write_shard(folder / "model.safetensors", packed(4, 64))
    (folder / "config.json").write_text('{"model_type": "x", "quantization": {"bits": 4, "group_size": 96}}')


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (removed("config.json"), BrokenModel, "config.json is missing"),
        (replaced("config.json", ""), BrokenModel, "config.json is damaged"),
        (replaced("config.json", "[]"), BrokenModel, "config.json is damaged"),
        (replaced("config.json", "[" * 100_000), BrokenModel, "config.json is damaged"),
        (replaced("config.json", "{}"), BrokenModel, "model_type"),
        (replaced("config.json", '{"model_type": 7}'), BrokenModel, "model_type"),
        (removed("tokenizer.json"), BrokenModel, "tokenizer is missing"),
        (replaced("tokenizer_config.json", "{"), BrokenModel, "tokenizer_config.json is damaged"),
        (removed("model.safetensors"), BrokenModel, "no weights"),
        (removed("model.safetensors", instead="pytorch_model.bin"), UnsupportedModel, "pickle"),
        (removed("model.safetensors", instead="model.gguf"), UnsupportedModel, "GGUF"),
        (replaced("model.safetensors", ""), BrokenModel, "truncated"),
        (shortened, BrokenModel, "truncated"),
        (endless_config, BrokenModel, "config.json is damaged: it is far too large"),
        (lacking_a_shard, BrokenModel, "1 of 2 weight files are missing, first model-00002"),
        (packed_without_settings, BrokenModel, "bits and group size"),
        (packed_otherwise_than_said, BrokenModel, "sizes"),
    ],
)
def test_a_broken_folder_has_a_reason(
    change: Callable[[Path], None], error: type[FacetError], words: str, tmp_path: Path
) -> None:
    """Each kind of damage has its own."""
    folder = write_model(tmp_path / "m")
    change(folder)
    with pytest.raises(error, match=words) as raised:
        describe(folder, "a/m")
    assert raised.value.message.endswith(".")


def test_weights_without_tensors_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(BrokenModel, match="no weights"):
        describe(write_model(tmp_path / "m", {}), "a/m")


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    """So is a file."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "absent", tmp_path / "file"):
        with pytest.raises(ModelNotFound):
            describe(path, "a/m")


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """Such as a dangling link instead of the weights."""
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(tmp_path / "absent disk")
    with pytest.raises(StorageError, match="Couldn't read"):
        describe(folder, "a/m")


def test_weights_can_be_links(tmp_path: Path) -> None:
    """As in the Hugging Face cache; the size of their targets counts."""
    folder = write_model(tmp_path / "m")
    size = describe(folder, "a/m").size_bytes
    (folder / "model.safetensors").rename(tmp_path / "blob")
    (folder / "model.safetensors").symlink_to(tmp_path / "blob")
    assert describe(folder, "a/m").size_bytes == size


def test_an_unsupported_architecture_is_named(tmp_path: Path) -> None:
    """The model is complete and has an obstacle."""
    model = describe(write_model(tmp_path / "m", model_type="bert"), "a/m")
    assert not model.is_runnable
    assert "'bert'" in model.obstacle
    assert describe(write_model(tmp_path / "n"), "a/n").is_runnable


def test_only_selected_experts_are_active(tmp_path: Path) -> None:
    """A token uses one of four experts; shared parameters count completely."""
    tensors: dict[str, Any] = {
        "model.embed_tokens.weight": ("BF16", (10, 64)),
        "model.layers.0.mlp.switch_mlp.up_proj.weight": ("BF16", (4, 8, 64)),
        "model.layers.0.mlp.shared_expert.up_proj.weight": ("BF16", (8, 64)),
    }
    model = describe(write_model(tmp_path / "m", tensors, num_experts=4, num_experts_per_tok=1), "a/m")
    assert model.parameters == 640 + 4 * 512 + 512
    assert model.active_parameters == 640 + 512 + 512


@pytest.mark.parametrize(
    "names",
    [
        ["block_sparse_moe.input_linear.weight"],
        ["moe.up_proj.weight"],
        ["moe.mlp.0.fc1.weight", "moe.mlp.1.fc1.weight", "moe.mlp.2.fc1.weight", "moe.mlp.3.fc1.weight"],
        ["mlp.experts.gate_up_proj"],
    ],
    ids=str,
)
def test_experts_are_recognized_by_all_published_names(names: list[str], tmp_path: Path) -> None:
    """Stacked or separate; Granite, Step 3.5, Phixtral and transformers 5."""
    tensors: dict[str, Any] = {f"model.layers.0.{name}": ("BF16", (4 // len(names), 8, 64)) for name in names}
    model = describe(write_model(tmp_path / "m", tensors, num_experts=4, num_experts_per_tok=1), "a/m")
    assert model.active_parameters == 512


@pytest.mark.parametrize(
    ("with_tower", "config", "vision"),
    [
        (True, {"vision_config": {"a": 1}}, "present"),
        (False, {"vision_config": {"a": 1}}, "dropped"),
        (False, {}, "none"),
    ],
)
def test_a_vision_tower_is_counted_but_not_loaded(
    with_tower: bool, config: dict[str, Any], vision: str, tmp_path: Path
) -> None:
    """It has parameters but needs no memory, since mlx-lm drops it."""
    tower = {"vision_tower.layers.0.self_attn.k_proj.weight": ("BF16", (64, 64))} if with_tower else {}
    model = describe(write_model(tmp_path / "m", {"model.norm.weight": ("BF16", (64,))} | tower, **config), "a/m")
    assert model.vision == vision
    assert model.parameters == 64 + 4096 * with_tower
    assert (model.loaded_parameters, model.loaded_bytes) == (64, 128)


@pytest.mark.parametrize(
    ("template", "thinks", "calls"),
    [
        ("{{ messages }}", False, False),
        ("{% if enable_thinking %}x{% endif %}", True, False),
        ("{% for tool in tools %}{{ tool }}{% endfor %}<think>", True, True),
        ("tooltip, rethink", False, False),
    ],
)
def test_the_template_shows_support_for_thinking_and_tools(
    template: str, thinks: bool, calls: bool, tmp_path: Path
) -> None:
    """As far as its text shows."""
    folder = write_model(tmp_path / "m")
    (folder / "chat_template.jinja").write_text(template)
    model = describe(folder, "a/m")
    assert (model.has_thinking, model.has_tools) == (thinks, calls)


def test_the_license_comes_from_the_card_without_a_note(tmp_path: Path) -> None:
    """Facet's own note precedes the card."""
    folder = write_model(tmp_path / "m")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    assert describe(folder, "a/m").license == "mit"
    (folder / "facet.json").write_text('{"license": "apache-2.0", "source": "a/b", "revision": "c0ffee"}')
    model = describe(folder, "a/m")
    assert (model.license, model.source, model.revision) == ("apache-2.0", "a/b", "c0ffee")


def test_the_map_of_bits_of_the_starter_model(starter_model: Path) -> None:
    """Its embedding has 8 bits, its thirty layers 4."""
    outside, *layers = read_bit_map(starter_model)
    assert outside.bits == {"model.embed_tokens": 8}
    assert [row.layer for row in layers] == list(range(30))
    assert {bits for row in layers for bits in row.bits.values()} == {4}


_fields = (
    "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "head_dim", "hidden_size", "sliding_window",
    "sliding_window_pattern", "layer_types", "num_experts", "num_experts_per_tok", "max_position_embeddings",
    "quantization", "quantization_config", "text_config", "vision_config", "kv_lora_rank", "num_kv_shared_layers",
    "linear_num_value_heads", "linear_attn_config", "architectures", "vocab_size", "intermediate_size",
)  # fmt: skip
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 40) | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_fields), inner, max_size=3),
    max_leaves=6,
)
_names = st.sampled_from(
    [
        "model.layers.0.self_attn.k_proj.weight",
        "model.layers.0.self_attn.k_proj.scales",
        "model.layers.0.self_attn.kv_a_proj_with_mqa.weight",
        "model.layers.0.linear_attn.conv1d.weight",
        "model.layers.0.linear_attn.A_log",
        "model.layers.1.mlp.experts.up_blocks",
        "model.layers.1.mlp.experts.up_scales",
        "lm_head.qweight",
        "lm_head.scales",
    ]
)
_shapes = st.tuples(st.sampled_from(["F16", "U32", "U8", "F32"]), st.lists(st.integers(0, 4), max_size=4).map(tuple))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    config=st.dictionaries(st.sampled_from(_fields), _values),
    tensors=st.dictionaries(_names, _shapes, min_size=1),
    architecture=st.sampled_from(["llama", "gemma3_text", "cohere2", "deepseek_v3", "qwen3_next", "mamba2", "gpt_oss"]),
)
def test_any_configuration_is_described_or_rejected(
    config: dict[str, Any], tensors: dict[str, Any], architecture: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Invalid fields with tensors of any shape give a description or a message."""
    folder = write_model(tmp_path_factory.mktemp("any") / "m", tensors, **{**config, "model_type": architecture})
    try:
        model = describe(folder, "a/m")
    except FacetError:
        return
    assert msgspec.json.encode(model, enc_hook=str)
    assert all(layers.layers > 0 and layers.token_numbers >= 0 for layers in model.cache)
