"""Contention of a study with chats and conversions."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.lab.contention import ResourceContention
from mlx_engine.measure.results.messages import MeasureSpeed, RecordReference
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Step, Study
from mlx_engine.models.memory.machine import Machine
from mlx_engine.quantize.plan.messages import Convert
from mlx_engine.quantize.recipes.builtin import RECIPES
from tests.app.viewmodels.facet import AMPLE, MODEL, OTHER, TIMEOUT_MS, Facet
from tests.scripted_worker import Script

SMALL = Machine(1, 1, "for the test", has_metal=True)
"""Too small for two models."""
READING = Step("reference", OTHER, RecordReference(id=OTHER, model=""))
CONVERTING = Step("convert", OTHER, Convert(id="", source="", target="", model_id="", recipe=RECIPES[0]))
SPEED = Step("speed", OTHER, MeasureSpeed(id=OTHER, model=""))

pytestmark = pytest.mark.process


@pytest.fixture
def study() -> Study:
    return Study(plan=StudyPlan(name="Whales", original=OTHER), rows=(Row(label=OTHER, path="", is_original=True),))


@pytest.fixture
def answering(tmp_path: Path, qtbot: QtBot) -> Callable[[], Facet]:
    """Return a function that starts an answer, which lasts until it is stopped."""

    def answer() -> Facet:
        facet = Facet(tmp_path, Script(tokens=100_000, rate=100)).ready(qtbot)
        facet.chat.set_model(MODEL)
        assert facet.chat.send("Do whales sing?")
        qtbot.waitUntil(lambda: facet.chat.throughput.phase == "answering", timeout=TIMEOUT_MS)
        return facet

    return answer


def test_speed_waits_for_the_chat(answering: Callable[[], Facet], study: Study, qtbot: QtBot) -> None:
    """Other steps do not, if both models fit into memory."""
    facet = answering()
    contention = ResourceContention(facet.library, AMPLE, lambda: False, quiet_ms=1)
    assert contention.blocked_by(study, SPEED, is_running=True).startswith("the chat to finish")
    assert contention.blocked_by(study, READING, is_running=True) == ""
    assert contention.slowdown == "Slower while a chat is answering."
    with qtbot.waitSignal(contention.changed, timeout=TIMEOUT_MS):
        facet.chat.stop()
    assert (contention.blocked_by(study, SPEED, is_running=False), contention.slowdown) == ("", "")
    facet.close()


def test_an_idle_model_is_unloaded(answering: Callable[[], Facet], study: Study, qtbot: QtBot) -> None:
    """While it answers, the study waits."""
    facet = answering()
    contention = ResourceContention(facet.library, SMALL, lambda: False, quiet_ms=1)
    assert "both models do not fit" in contention.blocked_by(study, READING, is_running=False)
    assert contention.blocked_by(study, CONVERTING, is_running=True) == ""
    with qtbot.waitSignal(contention.changed, timeout=TIMEOUT_MS):
        facet.chat.stop()
    assert [model.id for model in contention.models_to_unload(0)] == [MODEL]
    contention.free_memory(study)
    assert facet.library.active() == []
    facet.close()


def test_a_conversion_blocks_steps_that_have_not_started(facet: Facet, study: Study) -> None:
    """A running step continues, unless it measures speed."""
    contention = ResourceContention(facet.library, AMPLE, lambda: True)
    assert contention.blocked_by(study, READING, is_running=False).startswith("a conversion to finish")
    assert contention.blocked_by(study, READING, is_running=True) == ""
    assert contention.blocked_by(study, SPEED, is_running=True)
