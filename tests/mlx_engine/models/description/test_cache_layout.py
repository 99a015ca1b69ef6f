import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description import dimensions
from mlx_engine.models.description.cache_layout import LayerCache, bytes_per_token, cache_bytes, cache_layout
from mlx_engine.models.description.describe import describe
from tests import cache_models
from tests.model_folders import write_model

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """Model folders of every kind, and what mlx-lm's caches of each hold."""
    folder = tmp_path_factory.mktemp("kinds")
    program = str(Path(cache_models.__file__))
    done = subprocess.run([sys.executable, program, str(folder)], check=True, stdout=subprocess.PIPE)
    return folder / "kind", json.loads(done.stdout)


@pytest.mark.parametrize("kind", cache_models.CONFIGS)
def test_what_is_reckoned_is_what_the_caches_hold(kind: str, measured: tuple[Path, dict[str, int]]) -> None:
    """Full attention, windows, latent vectors, convolutions and recurrent states, to the byte."""
    folder, held = measured
    model = describe(folder / kind, f"kind/{kind}")
    assert cache_bytes(model.cache, cache_models.TOKENS + 1, number_bytes=4) == held[kind]


@pytest.mark.parametrize("kind", cache_models.CONFIGS)
def test_the_configuration_alone_never_tells_too_little(kind: str, measured: tuple[Path, dict[str, int]]) -> None:
    """Before a download there are no tensors. States are left out, which do not grow and are a few percent here."""
    _, held = measured
    layout = dimensions.cache(Configuration(cache_models.CONFIGS[kind]), {})
    assert cache_bytes(layout, cache_models.TOKENS + 1, number_bytes=4) > 0.95 * held[kind]


def test_windows_stop_growing() -> None:
    """A token costs nothing more in a layer whose window is full, and states never grow."""
    layout = (LayerCache("full", 2, 100), LayerCache("window", 3, 100, window=512), LayerCache("state", 4, 0, 0, 10))
    assert bytes_per_token(layout) == 2 * 100 * 2
    assert cache_bytes(layout, 4096) - cache_bytes(layout, 2048) == 2048 * bytes_per_token(layout)
    assert cache_bytes(layout, 0) == 4 * 10 * 4


def test_fewer_bits_shrink_what_is_kept_for_tokens() -> None:
    """A state stays as wide as it is."""
    layout = (LayerCache("full", 1, 64), LayerCache("state", 1, 0, 0, 8))
    assert cache_bytes(layout, 256, number_bytes=1) == 256 * 64 + 32


def test_without_a_shape_the_configuration_tells(tmp_path: Path) -> None:
    """A fused projection says nothing of its keys; heads and their size do."""
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
def test_without_tensors_only_layers_with_attention_keep_tokens(layers: dict[str, object]) -> None:
    """Of a hybrid model that is not here, the configuration alone tells which they are."""
    config = Configuration({"num_hidden_layers": 4, "num_attention_heads": 4, "hidden_size": 32, **layers})
    assert cache_layout(config, {}, module="any", has_windows=False) == (LayerCache("full", 1, 64),)


def test_layers_beyond_reason_are_not_counted(tmp_path: Path) -> None:
    """A configuration that claims a billion layers costs no time and makes no nonsense of the rest."""
    model = describe(write_model(tmp_path / "m", num_hidden_layers=10**9, num_kv_shared_layers=10**9), "a/m")
    assert sum(layers.layers for layers in model.cache) <= 4096
