"""Reading config.json of a model folder."""

import json
from pathlib import Path

import pytest

from mlx_engine.models.configuration.read import read_configuration


@pytest.mark.parametrize(
    ("config", "generation", "ends"),
    [
        ({"eos_token_id": 1}, {}, [1]),
        ({"eos_token_id": [1, 2]}, {"eos_token_id": 1}, [1, 2]),
        ({"eos_token_id": 1}, {"eos_token_id": [3, 1]}, [1, 3]),
        ({"text_config": {"eos_token_id": 4}, "eos_token_id": 1}, {}, [1, 4]),
        ({"eos_token_id": None}, {"eos_token_id": 3}, [3]),
        ({"eos_token_id": [1, None, True, -1, "2"]}, {}, [1]),
    ],
)
def test_end_tokens_of_all_files_count(
    config: dict[str, object], generation: dict[str, object], ends: list[int], tmp_path: Path
) -> None:
    """Published files often name some in one and others in another. Values of other types are ignored."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gemma3", **config}))
    (tmp_path / "generation_config.json").write_text(json.dumps(generation))
    assert read_configuration(tmp_path)["eos_token_id"] == ends


@pytest.mark.parametrize("config", [{}, *({"eos_token_id": value} for value in (None, [], [[1]], 2.5, {}, "</s>"))])
def test_a_model_may_name_no_end(config: dict[str, object], tmp_path: Path) -> None:
    """Or nothing that is a token."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama", **config}))
    assert "eos_token_id" not in read_configuration(tmp_path)
