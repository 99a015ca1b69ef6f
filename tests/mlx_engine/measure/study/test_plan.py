"""Behaviour of reading the plan of a study from a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlx_engine.errors import InvalidPlan
from mlx_engine.measure.study.plan import read_plan

_least: dict[str, Any] = {"name": "x", "original": "y", "recipes": ["4bit"]}


def _problem(text: bytes, folder: Path) -> str:
    (folder / "plan.json").write_bytes(text)
    with pytest.raises(InvalidPlan) as caught:
        read_plan(folder / "plan.json")
    return caught.value.message


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"speeds": 1}, 'there is no field "speeds".'),
        ({"speed": {"prompts": ["a"]}}, "at speed.prompts[0]: it should be a whole number, not a text."),
        ({"speed": {"repetitions": 1000}}, "at speed.repetitions: it should be a whole number, at most 100."),
        ({"gates": {"max_mean_kl": -1}}, "at gates.max_mean_kl: it should be a number, more than 0."),
        ({"gates": {"prefer": "best"}}, "there is no 'best'. Possible: fastest, smallest, closest."),
        ({"gates": {"min_top1_agreement": 95}}, "at gates.min_top1_agreement: it should be a number, at most 1."),
        ({"cache_bits": [5]}, "at cache_bits[0]: there is no 5. Possible: 16, 8, 4."),
        ({"limit_tokens": -5}, "at limit_tokens: it should be a whole number, at least 0."),
        ({"limit_tokens": 10**22}, "at limit_tokens: it should be a whole number, at most"),
        ({"gates": {"max_size_bytes": 10**30}}, "at gates.max_size_bytes: it should be a whole number"),
        ({"candidates": "abc"}, "at candidates: it should be a list, not a text."),
        ({"corpus": {"kind": "code"}}, 'at corpus: there is no field "kind".'),
        ({"convention": {"chunk_tokens": 4}}, "Chunks must have between 16 and 8,192 tokens, not 4."),
        ({"name": " "}, 'the "name" is empty'),
        ({"original": ""}, 'the "original" is empty'),
        ({"recipes": []}, "it names nothing to measure"),
        ({"cache_bits": []}, '"cache_bits" is empty'),
        ({"speed": None, "gates": {"max_mean_kl": 1}}, 'ask for the fastest ("prefer"), but "speed" leaves that out'),
        (
            {"speed": {"prompts": [], "depths": []}, "gates": {"max_memory_bytes": 8, "prefer": "smallest"}},
            "max_memory",
        ),
        ({"speed": {"prompts": []}, "gates": {"min_prefill_tokens_per_s": 8}}, "Measure it (prompts)"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(fields: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    """And with the name of the file."""
    problem = _problem(json.dumps({**_least, **fields}).encode(), tmp_path)
    assert problem.startswith("plan.json")
    assert sentence in problem


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "it is no JSON"),
        (b"[]", "it should be an object, not a list"),
        (b'{"name": "x"', "it is no JSON"),
        (b'{"name": "x"}', 'it lacks the field "original"'),
        (b'{"name": "x", "original": "y", "tail_mass": NaN}', "it is no JSON"),
        (b'{"name": "x", "original": "y", "tail_mass": 1e999}', "at tail_mass: number out of range"),
        (b"\xff\xfe\x00", "it is no JSON"),
        (b"[" * 100_000, "it should be an object"),
        (b" " * (2**20 + 1), "far too long"),
    ],
)
def test_what_is_no_plan_at_all_is_said(text: bytes, sentence: str, tmp_path: Path) -> None:
    """Whatever it is."""
    assert sentence in _problem(text, tmp_path)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """One that is not there, and a folder."""
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(InvalidPlan, match="cannot be read"):
            read_plan(path)


def test_files_lie_beside_the_plan(tmp_path: Path) -> None:
    """Wherever the command is given; names of models and of recipes stay names."""
    fields = {"original": "maker/name", "candidates": ["./four", "eight"], "recipes": ["mine.json", "4bit"]}
    plan = {**_least, **fields, "corpus": {"path": "text.txt"}}
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    found = read_plan(tmp_path / "plan.json")
    assert (found.original, found.candidates) == ("maker/name", (str(tmp_path / "four"), "eight"))
    assert found.recipes == (str(tmp_path / "mine.json"), "4bit")
    assert found.corpus.path == str(tmp_path / "text.txt")
