import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.engine.parents.client import worker_environment
from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.models.description import dimensions
from mlx_engine.models.description.cache_layout import cache_layout
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.layer_cache import LayerCache, bytes_per_token, cache_bytes
from tests import cache_models, tiny_architectures
from tests.model_folders import write_model
from tests.run_folder import build_once

pytestmark = pytest.mark.process

_excess = {"deepseek_v41, compressed": 1.6}
"""Upper bounds of estimates ÷ sizes, where an estimate isn't exact."""


@pytest.fixture(scope="session")
def measured() -> tuple[Path, dict[str, int]]:
    """A tiny model of every architecture, and the size of its caches."""

    def measure(folder: Path) -> None:
        command = [sys.executable, "-m", "tests.cache_models", str(folder), *cache_models.names()]
        process = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=worker_environment())
        (folder / "sizes.json").write_bytes(process.stdout.splitlines()[-1])

    folder = build_once("cache_models", measure)
    return folder, json.loads((folder / "sizes.json").read_bytes())


@pytest.mark.parametrize("name", cache_models.names())
def test_the_estimate_equals_the_caches_of_the_network(name: str, measured: tuple[Path, dict[str, int]]) -> None:
    """Full attention, windows, latent vectors, convolutions and recurrent states; to the byte, with few exceptions."""
    folder, sizes = measured
    estimate = cache_bytes(describe(folder / name, name).cache, cache_models.TOKENS + 1, number_bytes=4)
    assert sizes[name] <= estimate <= sizes[name] * _excess.get(name, 1)


@pytest.mark.parametrize("name", cache_models.names())
def test_an_estimate_from_the_configuration_alone_is_never_too_low(
    name: str, measured: tuple[Path, dict[str, int]]
) -> None:
    """Before a download there are no tensors."""
    _, sizes = measured
    layout = dimensions.cache(Configuration(normalize(tiny_architectures.configuration(name))), {})
    assert cache_bytes(layout, cache_models.TOKENS + 1, number_bytes=4) >= sizes[name]


def test_windows_stop_growing() -> None:
    """A token needs no more memory in a layer whose window is full, and states never grow."""
    layout = (LayerCache("full", 2, 100), LayerCache("window", 3, 100, window=512), LayerCache("state", 4, 0, 0, 10))
    assert bytes_per_token(layout) == 2 * 100 * 2
    assert cache_bytes(layout, 4096) - cache_bytes(layout, 2048) == 2048 * bytes_per_token(layout)
    assert cache_bytes(layout, 0) == 4 * 10 * 4


def test_fewer_bits_reduce_the_memory_per_token() -> None:
    """A state keeps its size."""
    layout = (LayerCache("full", 1, 64), LayerCache("state", 1, 0, 0, 8))
    assert cache_bytes(layout, 256, number_bytes=1) == 256 * 64 + 32


def test_a_fused_projection_needs_the_configuration(tmp_path: Path) -> None:
    """Its shape does not have the size of keys; the number and size of heads do."""
    tensors = {f"transformer.h.{layer}.attn.c_attn.weight": ("F16", (24, 8)) for layer in range(2)}
    model = describe(write_model(tmp_path / "m", tensors, model_type="gpt2", n_layer=2, n_head=4, n_embd=8), "a/m")
    assert model.cache == (LayerCache("full", 2, 16),)


@pytest.mark.parametrize(
    "layers",
    [
        {"layer_types": ["linear_attention", "linear_attention", "linear_attention", "full_attention"]},
        {"hybrid_override_pattern": "M-M*"},
        {"full_attention_interval": 4},
        {"attn_layer_period": 4, "attn_layer_offset": 3},
    ],
    ids=str,
)
def test_without_tensors_only_attention_layers_cache_tokens(layers: dict[str, object]) -> None:
    """The configuration of a hybrid model lists them."""
    config = Configuration({"num_hidden_layers": 4, "num_attention_heads": 4, "hidden_size": 32, **layers})
    assert cache_layout(config, {}, module="any", has_windows=False) == (LayerCache("full", 1, 64),)


def test_an_implausible_number_of_layers_is_ignored(tmp_path: Path) -> None:
    """A configuration with a billion layers is read quickly, and its other fields are used."""
    model = describe(write_model(tmp_path / "m", num_hidden_layers=10**9, num_kv_shared_layers=10**9), "a/m")
    assert sum(layers.layers for layers in model.cache) <= 4096
