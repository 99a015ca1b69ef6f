"""Plans of studies, read from files."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlx_engine.errors import InvalidPlan
from mlx_engine.measure.study.plan import read_plan

_minimal: dict[str, Any] = {"name": "x", "original": "y", "recipes": ["4bit"]}


def _problem(text: bytes, folder: Path) -> str:
    (folder / "plan.json").write_bytes(text)
    with pytest.raises(InvalidPlan) as caught:
        read_plan(folder / "plan.json")
    return caught.value.message


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"speeds": 1}, 'unknown field "speeds".'),
        ({"speed": {"prompts": ["a"]}}, "at speed.prompts[0]: expected a whole number, got text."),
        ({"speed": {"repetitions": 1000}}, "at speed.repetitions: expected a whole number, at most 100."),
        ({"gates": {"max_mean_kl": -1}}, "at gates.max_mean_kl: expected a number, more than 0."),
        ({"gates": {"prefer": "best"}}, "unknown value 'best'. Valid values: fastest, smallest, closest."),
        ({"gates": {"min_top1_agreement": 95}}, "at gates.min_top1_agreement: expected a number, at most 1."),
        ({"cache_bits": [5]}, "at cache_bits[0]: unknown value 5. Valid values: 16, 8, 4."),
        ({"limit_tokens": -5}, "at limit_tokens: expected a whole number, at least 0."),
        ({"limit_tokens": 10**22}, "at limit_tokens: expected a whole number, at most"),
        ({"gates": {"max_size_bytes": 10**30}}, "at gates.max_size_bytes: expected a whole number"),
        ({"candidates": "abc"}, "at candidates: expected a list, got text."),
        ({"corpus": {"kind": "code"}}, 'at corpus: unknown field "kind".'),
        ({"convention": {"chunk_tokens": 4}}, "Chunks must have between 16 and 8,192 tokens, not 4."),
        ({"name": " "}, '"name" is empty'),
        ({"original": ""}, '"original" is empty'),
        ({"recipes": []}, "there is nothing to measure"),
        ({"cache_bits": []}, '"cache_bits" is empty'),
        ({"speed": None, "gates": {"max_mean_kl": 1}}, 'for "prefer": "fastest", but "speed" has no depths'),
        (
            {"speed": {"prompts": [], "depths": []}, "gates": {"max_memory_bytes": 8, "prefer": "smallest"}},
            "max_memory",
        ),
        ({"speed": {"prompts": []}, "gates": {"min_prefill_tokens_per_s": 8}}, 'but "speed" has no prompts'),
    ],
)
def test_an_invalid_field_is_reported_with_its_position(fields: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    """The message starts with the name of the file."""
    problem = _problem(json.dumps({**_minimal, **fields}).encode(), tmp_path)
    assert problem.startswith("plan.json")
    assert sentence in problem


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "invalid JSON"),
        (b"[]", "expected an object, got a list"),
        (b'{"name": "x"', "invalid JSON"),
        (b'{"name": "x"}', 'missing field "original"'),
        (b'{"name": "x", "original": "y", "tail_mass": NaN}', "invalid JSON"),
        (b'{"name": "x", "original": "y", "tail_mass": 1e999}', "at tail_mass: number out of range"),
        (b"\xff\xfe\x00", "invalid JSON"),
        (b"[" * 100_000, "expected an object"),
        (b" " * (2**20 + 1), "it is larger than 1 MB"),
    ],
)
def test_a_file_that_is_not_a_plan_is_rejected(text: bytes, sentence: str, tmp_path: Path) -> None:
    assert sentence in _problem(text, tmp_path)


def test_an_unreadable_plan_raises_an_error(tmp_path: Path) -> None:
    """A missing file and a folder are unreadable."""
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(InvalidPlan, match="Couldn't read"):
            read_plan(path)


def test_paths_are_relative_to_the_plan(tmp_path: Path) -> None:
    """The working directory does not matter; names of models and recipes remain unchanged."""
    fields = {"original": "maker/name", "candidates": ["./four", "eight"], "recipes": ["mine.json", "4bit"]}
    fields = {**_minimal, **fields, "corpus": {"path": "text.txt"}}
    (tmp_path / "plan.json").write_text(json.dumps(fields))
    plan = read_plan(tmp_path / "plan.json")
    assert (plan.original, plan.candidates) == ("maker/name", (str(tmp_path / "four"), "eight"))
    assert plan.recipes == (str(tmp_path / "mine.json"), "4bit")
    assert plan.corpus.path == str(tmp_path / "text.txt")
