"""Compares the logits of a model in Facet with those of transformers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.errors import FacetError
from mlx_engine.inference.load import open_model
from mlx_engine.models.description.describe import describe
from mlx_engine.networks.rotation import expected_length
from tests.conformance.cases import FIRST_CHUNK

EQUAL = 1e-3
CLOSE = 2e-2


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one folder. `gap` is the largest difference of a logit over their standard deviation."""

    name: str
    kind: str
    gap: float = 0.0
    reason: str = ""
    was_listed: bool = False
    """The library lists the model as runnable."""

    def __str__(self) -> str:
        detail = self.reason if self.reason else f"{self.gap:.1e}"
        late = " (known only when loading)" if self.kind in ("refused", "failed") and self.was_listed else ""
        return f"{self.name:44} {self.kind:8} {detail}{late}"


def compare(folder: Path) -> Verdict:
    """Return the verdict on a folder of `models.build`."""
    reference = np.load(folder / "reference.npz")
    is_listed = False
    try:
        is_listed = not describe(folder, folder.name).obstacle
        if not is_listed:
            return Verdict(folder.name, "refused", reason=describe(folder, folder.name).obstacle)
        model = open_model(folder)
        list(model.read_weights())
        has_steps_of_its_own = not np.array_equal(reference["logits"], reference["steps"])
        length = 0 if has_steps_of_its_own else reference["tokens"].shape[1]
        whole, alone, steps = _logits(model.network, reference["tokens"], length)
        gaps = [_gap(whole, reference["logits"]), _gap(alone, reference["logits"]), _gap(steps, reference["steps"])]
    except FacetError as error:
        return Verdict(folder.name, "refused", reason=str(error), was_listed=is_listed)
    except Exception as error:  # noqa: BLE001 - a network may fail in any way
        return Verdict(folder.name, "failed", reason=repr(error)[:200], was_listed=is_listed)
    gap = max(gaps)
    kind = "equal" if gap < EQUAL else "close" if gap < CLOSE else "WRONG"
    return Verdict(folder.name, kind, gap)


def _logits(network: Any, tokens: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the logits at all positions, read in one go, the same without a cache, and in steps.

    The steps are those of a context of `length`; 0 if each has the length so far.
    """
    whole = network(mx.array(tokens), cache=make_prompt_cache(network))
    cache = make_prompt_cache(network)
    pieces = [tokens[:, :FIRST_CHUNK], *(tokens[:, at : at + 1] for at in range(FIRST_CHUNK, tokens.shape[1]))]
    with expected_length(network, length):
        steps = mx.concatenate([network(mx.array(piece), cache=cache) for piece in pieces], axis=1)
    alone = network(mx.array(tokens))
    mx.eval(whole, alone, steps)
    first, second, third = (np.array(logits.astype(mx.float32))[0] for logits in (whole, alone, steps))
    return first, second, third


def _gap(logits: np.ndarray, reference: np.ndarray) -> float:
    width = min(logits.shape[-1], reference.shape[-1])
    gap = float(np.abs(logits[:, :width] - reference[:, :width]).max() / reference.std())
    return gap if np.isfinite(gap) else float("inf")
