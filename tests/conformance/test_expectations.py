import json
from contextlib import closing
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.inference.load import open_model
from mlx_engine.models.description.describe import describe
from mlx_engine.quantize.mlx.convert import convert
from mlx_engine.quantize.mlx.folder import FolderSource
from mlx_engine.quantize.recipes.builtin import recipe
from tests.conformance.compare import EQUAL
from tests.conformance.expectations import CASES, FOLDER, excerpt, tokens, write_model


def _expectation(name: str, folder: Path) -> dict[str, Any]:
    """Write the model to `folder` and return what is stored of it."""
    expected: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    write_model(folder, expected["config"], expected["shapes"])
    return expected


def _gap(folder: Path, expected: dict[str, Any]) -> float:
    """Return the largest difference of a logit over their standard deviation."""
    model = open_model(folder)
    list(model.read_weights())
    logits = model.network(mx.array(tokens()), cache=make_prompt_cache(model.network))
    gaps = np.abs(excerpt(np.array(logits[0].astype(mx.float32))) - np.array(expected["logits"]))
    return float(gaps.max() / expected["spread"])


@pytest.mark.parametrize("name", CASES)
def test_the_network_computes_what_transformers_computes(name: str, tmp_path: Path) -> None:
    expected = _expectation(name, tmp_path / "m")
    assert describe(tmp_path / "m", "a/m").obstacle == ""
    assert _gap(tmp_path / "m", expected) < EQUAL


@pytest.mark.parametrize("name", CASES)
def test_a_conversion_computes_it_as_well(name: str, tmp_path: Path) -> None:
    expected = _expectation(name, tmp_path / "m")
    with closing(FolderSource(tmp_path / "m")) as source:
        list(convert(source, tmp_path / "converted", recipe("fp32")))
    assert _gap(tmp_path / "converted", expected) < EQUAL
