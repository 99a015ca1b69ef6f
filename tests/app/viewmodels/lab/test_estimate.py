"""Estimating the cost of a study."""

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.viewmodels.lab.estimate import StudyEstimate, StudyEstimator
from app.viewmodels.lab.time_estimate import Speeds
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import Machine
from mlx_engine.quantize.plan.preflight import companions_bytes
from tests.model_folders import write_model

AMPLE = Machine(2**34, 2**34, "for the test", has_metal=True)
TOKENS = 8192


@pytest.fixture
def whale(tmp_path: Path) -> ModelDescription:
    """Return a model with attention and a vocabulary of 1,000 tokens."""
    tensors = {"model.embed_tokens.weight": ("BF16", (1000, 64))}
    tensors |= {f"model.layers.{layer}.self_attn.q_proj.weight": ("BF16", (64, 64)) for layer in range(2)}
    heads = {"num_attention_heads": 1, "num_hidden_layers": 2, "num_key_value_heads": 1}
    path = write_model(tmp_path / "maker" / "Whale", tensors, hidden_size=64, vocab_size=1000, **heads)
    return describe(path, "maker/Whale")


@pytest.fixture
def study(whale: ModelDescription) -> Study:
    """Return a study with an existing candidate and one to convert."""
    rows = (
        Row(label="maker/Whale", path=str(whale.path), is_original=True),
        Row(label="existing", path=""),
        Row(label="to convert", path="", exists=False),
    )
    return Study(plan=StudyPlan(name="Whales", original="maker/Whale", speed=None), rows=rows)


def estimator_of(study: Study, whale: ModelDescription, machine: Machine = AMPLE) -> StudyEstimator:
    small = replace(whale, size_bytes=10_000)
    return StudyEstimator(study, {"maker/Whale": whale, "existing": small, "to convert": small}, machine, TOKENS)


def estimate_of(estimator: StudyEstimator) -> StudyEstimate:
    return estimator.estimate(Speeds(1e10, 1e9, "For the test."), estimator.models["maker/Whale"].path)


def test_the_disk_space_is_of_conversions_and_predictions(study: Study, whale: ModelDescription) -> None:
    """Without a tail, predictions are stored completely."""
    conversion = 10_000 + companions_bytes(whale)
    scored = TOKENS * 255 // 512
    assert estimator_of(study, whale).disk_bytes() == conversion + round(2 * scored * 1000 * 0.1)
    without_tail = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, tail_mass=0))
    assert estimator_of(without_tail, whale).disk_bytes() == conversion + 2 * scored * 1000


def test_long_prompts_need_more_memory(study: Study, whale: ModelDescription) -> None:
    """The memory is that of the largest model."""
    plan = msgspec.structs.replace(study.plan, speed=SpeedPlan(prompts=(2**19,), depths=()))
    with_speed = msgspec.structs.replace(study, plan=plan)
    short, long = (estimator_of(plan, whale).memory() for plan in (study, with_speed))
    assert short
    assert long
    assert long.estimate.total_bytes > short.estimate.total_bytes


def test_an_original_that_is_too_large_is_a_problem(study: Study, whale: ModelDescription) -> None:
    """So is a stand-in that is too large."""
    machine = Machine(1_000_000, 1_000_000, "for the test", has_metal=True)
    estimate = estimate_of(estimator_of(study, whale, machine))
    assert estimate.problem.startswith("maker/Whale does not fit on this Mac")
    assert estimate.is_original_too_large
    rows = (study.rows[0], msgspec.structs.replace(study.rows[2], is_stand_in=True))
    with_stand_in = msgspec.structs.replace(study, rows=rows, plan=msgspec.structs.replace(study.plan, stand_in=True))
    estimate = estimate_of(estimator_of(with_stand_in, whale, machine))
    assert estimate.problem.startswith("The 8-bit conversion of maker/Whale does not fit")
    assert not estimate.is_original_too_large
