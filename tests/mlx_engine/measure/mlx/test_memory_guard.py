"""Rejecting models that do not fit into memory."""

from pathlib import Path

import pytest

from mlx_engine.errors import OutOfMemory
from mlx_engine.measure.mlx.memory_guard import require_memory
from mlx_engine.measure.results.convention import Convention
from mlx_engine.models.memory.machine import Machine


def _machine(size_bytes: int) -> Machine:
    return Machine(size_bytes, size_bytes, "all", has_metal=True)


def test_a_model_that_is_too_large_is_rejected(tiny_models: Path) -> None:
    """With the breakdown and advice."""
    with pytest.raises(OutOfMemory, match=r"tiny is too large.*: weights .*shorter chunks"):
        require_memory(tiny_models / "llama", "tiny", Convention(), _machine(1_000_000))


def test_a_model_that_fits_is_accepted(tiny_models: Path) -> None:
    """It has a few hundred kilobytes."""
    require_memory(tiny_models / "llama", "tiny", Convention(), _machine(100_000_000))
