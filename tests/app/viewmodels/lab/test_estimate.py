"""What a study is going to take."""

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
    """A network with layers that remember, and a vocabulary of 1,000 tokens."""
    tensors = {"model.embed_tokens.weight": ("BF16", (1000, 64))}
    tensors |= {f"model.layers.{layer}.self_attn.q_proj.weight": ("BF16", (64, 64)) for layer in range(2)}
    heads = {"num_attention_heads": 1, "num_hidden_layers": 2, "num_key_value_heads": 1}
    path = write_model(tmp_path / "maker" / "Whale", tensors, hidden_size=64, vocab_size=1000, **heads)
    return describe(path, "maker/Whale")


@pytest.fixture
def study(whale: ModelDescription) -> Study:
    """One candidate that is there, and one that is to be made."""
    rows = (
        Row(label="maker/Whale", path=str(whale.path), is_original=True),
        Row(label="there", path=""),
        Row(label="to be made", path="", is_made=False),
    )
    return Study(plan=StudyPlan(name="Whales", original="maker/Whale", speed=None), rows=rows)


def reckon(study: Study, whale: ModelDescription, machine: Machine = AMPLE) -> StudyEstimator:
    small = replace(whale, size_bytes=10_000)
    return StudyEstimator(study, {"maker/Whale": whale, "there": small, "to be made": small}, machine, TOKENS)


def forecast(reckoning: StudyEstimator) -> StudyEstimate:
    return reckoning.forecast(Speeds(1e10, 1e9, "A guess."), reckoning.models["maker/Whale"].path)


def test_the_disk_holds_what_is_made_and_a_part_of_the_answers(study: Study, whale: ModelDescription) -> None:
    """All of them where no sample stands for what is unlikely."""
    made = 10_000 + companions_bytes(whale)
    scored = TOKENS * 255 // 512
    assert reckon(study, whale).disk_bytes() == made + round(2 * scored * 1000 * 0.1)
    whole = msgspec.structs.replace(study, plan=msgspec.structs.replace(study.plan, tail_mass=0))
    assert reckon(whole, whale).disk_bytes() == made + 2 * scored * 1000


def test_long_prompts_need_more_memory(study: Study, whale: ModelDescription) -> None:
    """The sum is of the model that needs most."""
    plan = msgspec.structs.replace(study.plan, speed=SpeedPlan(prompts=(2**19,), depths=()))
    short, long = (reckon(one, whale).memory() for one in (study, msgspec.structs.replace(study, plan=plan)))
    assert short
    assert long
    assert long.estimate.total_bytes > short.estimate.total_bytes


def test_an_original_that_does_not_fit_is_told_before(study: Study, whale: ModelDescription) -> None:
    """So is a stand-in for it that does not fit either."""
    machine = Machine(1_000_000, 1_000_000, "for the test", has_metal=True)
    found = forecast(reckon(study, whale, machine))
    assert found.problem.startswith("maker/Whale doesn't fit this Mac")
    assert found.is_original_too_large
    rows = (study.rows[0], msgspec.structs.replace(study.rows[2], is_stand_in=True))
    with_stand_in = msgspec.structs.replace(study, rows=rows, plan=msgspec.structs.replace(study.plan, stand_in=True))
    found = forecast(reckon(with_stand_in, whale, machine))
    assert found.problem.startswith("The 8-bit conversion of maker/Whale doesn't fit")
    assert not found.is_original_too_large
