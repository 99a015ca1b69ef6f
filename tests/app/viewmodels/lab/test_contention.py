"""What a study has to wait for."""

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
"""So small that no two models fit."""
ANSWERS = Step("reference", OTHER, RecordReference(id=OTHER, model=""))
MAKING = Step("convert", OTHER, Convert(id="", source="", target="", model_id="", recipe=RECIPES[0]))
SPEED = Step("speed", OTHER, MeasureSpeed(id=OTHER, model=""))

pytestmark = pytest.mark.process


@pytest.fixture
def study() -> Study:
    return Study(plan=StudyPlan(name="Whales", original=OTHER), rows=(Row(label=OTHER, path="", is_original=True),))


@pytest.fixture
def answering(tmp_path: Path, qtbot: QtBot) -> Callable[[], Facet]:
    """A chat that is being answered; stopping it ends the answer."""

    def answer() -> Facet:
        facet = Facet(tmp_path, Script(tokens=100_000, rate=100)).ready(qtbot)
        facet.chat.set_model(MODEL)
        assert facet.chat.send("Do whales sing?")
        qtbot.waitUntil(lambda: facet.chat.throughput.phase == "answering", timeout=TIMEOUT_MS)
        return facet

    return answer


def test_a_speed_waits_until_the_chat_is_quiet(answering: Callable[[], Facet], study: Study, qtbot: QtBot) -> None:
    """What says nothing of speed need not, where there is room for both."""
    facet = answering()
    beside = ResourceContention(facet.library, AMPLE, lambda: False, quiet_ms=1)
    assert beside.obstacle(study, SPEED, is_begun=True).startswith("the chat is quiet")
    assert beside.obstacle(study, ANSWERS, is_begun=True) == ""
    assert beside.disturbance.startswith("A chat answers")
    with qtbot.waitSignal(beside.changed, timeout=TIMEOUT_MS):
        facet.chat.stop()
    assert (beside.obstacle(study, SPEED, is_begun=False), beside.disturbance) == ("", "")
    facet.close()


def test_an_idle_model_makes_room(answering: Callable[[], Facet], study: Study, qtbot: QtBot) -> None:
    """One that answers does not: the study waits for it."""
    facet = answering()
    beside = ResourceContention(facet.library, SMALL, lambda: False, quiet_ms=1)
    assert "both models do not fit" in beside.obstacle(study, ANSWERS, is_begun=False)
    assert beside.obstacle(study, MAKING, is_begun=True) == ""
    with qtbot.waitSignal(beside.changed, timeout=TIMEOUT_MS):
        facet.chat.stop()
    assert [model.id for model in beside.displaced(0)] == [MODEL]
    beside.make_room(study)
    assert facet.library.active() == []
    facet.close()


def test_a_conversion_holds_up_what_has_not_begun(facet: Facet, study: Study) -> None:
    """What has begun goes on beside it, unless it measures speed."""
    beside = ResourceContention(facet.library, AMPLE, lambda: True)
    assert beside.obstacle(study, ANSWERS, is_begun=False).startswith("the conversion has ended")
    assert beside.obstacle(study, ANSWERS, is_begun=True) == ""
    assert beside.obstacle(study, SPEED, is_begun=True)
