from dataclasses import replace
from pathlib import Path

import pytest

from mlx_engine.models.description.description import ModelDescription, NetworkShape
from mlx_engine.models.description.layer_cache import LayerCache
from mlx_engine.models.memory.machine import Machine, mac, this_machine
from mlx_engine.models.memory.memory import METAL, MemoryEstimate, Runtime, estimate, fit, runtime_on
from mlx_engine.protocol import CacheBits

GIB = 2**30
FULL = LayerCache("full", 32, 2048)
WINDOW = LayerCache("window", 32, 2048, window=1024)
MODEL = ModelDescription(
    id="o/m",
    path=Path("m"),
    name="m",
    architecture="llama",
    parameters=8_000_000_000,
    bits_per_weight=4.5,
    quantization="4-bit g64",
    size_bytes=4_600_000_000,
    context_length=131_072,
    has_chat_template=True,
    license="",
    source="",
    cache=(FULL,),
    shape=NetworkShape(hidden=4096, feed_forward=14336, heads=32, head=128, vocabulary=128_256),
    loaded_bytes=4_500_000_000,
    loaded_half_bytes=500_000_000,
    loaded_parameters=8_000_000_000,
)


def on_metal(model: ModelDescription, context: int, cache_bits: CacheBits = 16) -> MemoryEstimate:
    return estimate(model, context, cache_bits=cache_bits, runtime=METAL)


def machine(gib: int) -> Machine:
    return Machine(gib * GIB, gib * GIB, "for the test", has_metal=True)


def test_the_estimate_has_three_parts() -> None:
    """Stored weights, 2 x 16 bits per number and token, and working memory."""
    need = on_metal(MODEL, 8192)
    assert need.weights_bytes == 4_500_000_000
    assert need.cache_bytes == 32 * 2048 * 8192 * 2
    assert 0 < need.work_bytes < GIB
    assert need.total_bytes == need.weights_bytes + need.cache_bytes + need.work_bytes


@pytest.mark.parametrize(("bits", "share"), [(16, 1.0), (8, (8 + 0.5) / 16), (4, (4 + 0.5) / 16)])
def test_a_quantized_cache_includes_its_scales(bits: int, share: float) -> None:
    """A scale and a bias of 16 bits for each group of 64."""
    need = on_metal(MODEL, 8192, cache_bits=bits)
    assert need.cache_bytes == pytest.approx(share * 32 * 2048 * 8192 * 2)


def test_windows_cannot_be_quantized_and_are_copied() -> None:
    """mlx-lm keeps them in 16 bits, and Facet takes snapshots of them."""
    windowed = replace(MODEL, cache=(WINDOW,))
    assert on_metal(windowed, 8192, cache_bits=4) == on_metal(windowed, 8192)
    without = estimate(windowed, 8192, runtime=Runtime(snapshots=0))
    assert without.cache_bytes * 5 == on_metal(windowed, 8192).cache_bytes


def test_the_cpu_needs_more_than_the_gpu() -> None:
    """In float32, scales are twice as large and unpacked weights have four bytes; scores are materialized."""
    packed = estimate(MODEL, 8192, runtime=Runtime(number_bytes=4))
    assert packed.weights_bytes == 5_000_000_000
    unpacked = estimate(MODEL, 8192, runtime=Runtime(number_bytes=4, keeps_packed=False))
    assert unpacked.weights_bytes == 32_000_000_000
    scores = 32 * 2048 * 8192 * 2
    assert estimate(MODEL, 8192, runtime=Runtime(has_fused_attention=False)).work_bytes == pytest.approx(
        on_metal(MODEL, 8192).work_bytes + scores
    )


def test_more_context_never_needs_less() -> None:
    """This allows searching for the longest context that fits."""
    totals = [on_metal(MODEL, context).total_bytes for context in range(0, 20_000, 100)]
    assert totals == sorted(totals)


@pytest.mark.parametrize(
    ("gib", "verdict"), [(64, "fits"), (7, "fits"), (6, "tight"), (5, "too large"), (1, "too large")]
)
def test_the_verdict_compares_the_estimate_with_the_machine(gib: int, verdict: str) -> None:
    """Below the reserve it fits, within the reserve it is tight."""
    result = fit(MODEL, machine(gib))
    assert result.verdict == verdict
    assert result.estimate.context == 8192


def test_the_longest_context_that_fits_fits() -> None:
    """One token more does not."""
    result = fit(MODEL, machine(16))
    assert fit(MODEL, machine(16), context=result.largest_context).verdict == "fits"
    assert fit(MODEL, machine(16), context=result.largest_context + 256).verdict != "fits"
    assert fit(MODEL, machine(2)).largest_context == 0
    assert fit(MODEL, machine(512)).largest_context == MODEL.context_length


def test_the_summary_has_every_figure_of_the_verdict() -> None:
    summary = fit(MODEL, machine(16)).summary
    for figure in ("of 16 GB", "weights 4.2 GB", "context (8,192 tokens) 1 GB", "2 GB is kept free"):
        assert figure in summary


def test_without_metal_the_estimate_is_for_the_cpu() -> None:
    """As the engine computes on such a machine."""
    processor = replace(machine(64), has_metal=False)
    expected = estimate(MODEL, 8192, runtime=runtime_on(processor, MODEL))
    assert fit(MODEL, processor).estimate == expected != fit(MODEL, machine(64)).estimate


@pytest.mark.parametrize(
    ("gib", "setting", "working_set"),
    [
        (16, "0", 16 * GIB * 2 // 3),
        (64, "0", 48 * GIB),
        (36, "", 27 * GIB),
        (64, "57344", 56 * GIB),
        (16, "999999", 16 * GIB),
        (16, "sysctl: unknown oid", 16 * GIB * 2 // 3),
    ],
)
def test_the_working_set_of_a_mac(gib: int, setting: str, working_set: int) -> None:
    """The user's limit, or else the share that Metal recommends."""
    assert mac(gib * GIB, setting).working_set_bytes == working_set


def test_this_machine_has_memory_for_models() -> None:
    """Some of it is reserved."""
    here = this_machine()
    assert 0 < here.available_bytes < here.working_set_bytes <= here.memory_bytes
    assert here.working_set_source


def test_the_cpu_unpacks_weights_only_with_ample_memory() -> None:
    """As the engine does when it loads a model."""
    processor = Machine(16 * GIB, 16 * GIB, "", has_metal=False)
    assert runtime_on(processor, MODEL).keeps_packed
    assert not runtime_on(processor, replace(MODEL, parameters=100_000_000)).keeps_packed
    assert runtime_on(machine(16), MODEL) == Runtime()
