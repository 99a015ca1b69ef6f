import json
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx_lm.models.cache import make_prompt_cache

from mlx_engine.inference.load import open_model
from mlx_engine.models.description.describe import describe
from tests.conformance.compare import EQUAL
from tests.conformance.expectations import CASES, FOLDER, excerpt, tokens, write_model


@pytest.mark.parametrize("name", CASES)
def test_the_network_computes_what_transformers_computes(name: str, tmp_path: Path) -> None:
    expected = json.loads((FOLDER / f"{name}.json").read_text())
    write_model(tmp_path / "m", expected["config"], expected["shapes"])
    assert describe(tmp_path / "m", "a/m").obstacle == ""
    model = open_model(tmp_path / "m")
    list(model.read_weights())
    logits = model.network(mx.array(tokens()), cache=make_prompt_cache(model.network))
    gaps = np.abs(excerpt(np.array(logits[0].astype(mx.float32))) - np.array(expected["logits"]))
    assert gaps.max() / expected["spread"] < EQUAL
