import json

import pytest

from app.viewmodels.hub.fit import fit_of_page, fit_of_variant, largest_weights_bytes
from mlx_engine.hub_messages import ModelPage, RemoteFile, Variant
from mlx_engine.models.memory.machine import mac

MAC = mac(16 * 2**30, "0")
LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
}


def variant(size_bytes: int) -> Variant:
    return Variant(
        repository="owner/model",
        base_model="owner/model",
        is_mlx=True,
        quantization="4-bit",
        parameters=size_bytes * 16 // 9,
        size_bytes=size_bytes,
        license="mit",
        gated=False,
        downloads=1,
        likes=1,
        updated="2026-01-01",
    )


def page(size_bytes: int, configuration: str) -> ModelPage:
    return ModelPage(
        id="p",
        variant=variant(size_bytes),
        commit="c" * 40,
        card="",
        files=(
            RemoteFile("model.safetensors", size_bytes, "d" * 64),
            RemoteFile("consolidated.safetensors", size_bytes, "e" * 64),
        ),
        needed_bytes=size_bytes,
        evaluations=(),
        configuration=configuration,
    )


@pytest.mark.parametrize(
    ("gigabytes", "verdict"),
    [(0, "unknown"), (2, "weights fit"), (9, "weights fit"), (11, "tight"), (12, "too large"), (200, "too large")],
)
def test_the_verdict_depends_on_the_size_of_the_weights(gigabytes: int, verdict: str) -> None:
    """Weights that need the reserve are tight; weights beyond the working set are too large."""
    assert fit_of_variant(variant(gigabytes * 10**9), MAC).verdict == verdict


def test_the_explanation_has_all_figures() -> None:
    """It also says that the context is not included."""
    explanation = fit_of_variant(variant(5_000_000_000), MAC).explanation
    for figure in ("4.7 GB", "10.7 GB", "1.3 GB", "Context not included"):
        assert figure in explanation


def test_the_largest_weights_just_fit() -> None:
    """The limit of the search filter agrees with the verdict."""
    largest = largest_weights_bytes(MAC)
    assert fit_of_variant(variant(largest), MAC).verdict == "weights fit"
    assert fit_of_variant(variant(largest + 1), MAC).verdict == "tight"


@pytest.mark.parametrize(("gigabytes", "verdict"), [(4, "fits"), (9, "tight"), (11, "too large")])
def test_a_page_includes_the_context_and_working_memory(gigabytes: int, verdict: str) -> None:
    """Weights of 9 GB fit alone, but not with 8,192 tokens of 128 KB each."""
    result = fit_of_page(page(gigabytes * 10**9, json.dumps(LLAMA)), MAC)
    assert (result.verdict, result.context_length) == (verdict, 131072)
    assert "context (8,192 tokens) 1 GB" in result.explanation


@pytest.mark.parametrize("configuration", ["", "{", "[]", "[" * 100_000, '{"num_hidden_layers": 1e400}', "{}"])
def test_an_invalid_configuration_leaves_only_the_weights(configuration: str) -> None:
    """The file is not trusted. The explanation says that the context is not included."""
    result = fit_of_page(page(4 * 10**9, configuration), MAC)
    assert (result.verdict, result.context_length) == ("weights fit", 0)
    assert "no configuration" in result.explanation
