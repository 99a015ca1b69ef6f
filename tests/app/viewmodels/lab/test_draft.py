"""A study that is being put together."""

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.lab.draft import DEFAULT_RECIPES, StudyDraft
from app.viewmodels.lab.time_estimate import default_speeds
from mlx_engine.folders import Folders
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.speed_result import SpeedPlan
from mlx_engine.measure.study.plan import Gates
from mlx_engine.models.description import provenance
from mlx_engine.models.memory.machine import Machine, mac
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes import builtin
from mlx_engine.quantize.recipes.recipe import Recipe
from tests.app.outlines import OutlineAnswers, outline
from tests.app.viewmodels.facet import Facet
from tests.model_folders import write_model

MACHINE = mac(16 * 2**30, "")
WHALE, SMALL = "maker/Whale-bf16", "maker/Whale-8bit"

Begin = Callable[..., StudyDraft]


@pytest.fixture
def begin(facet: Facet, qtbot: QtBot, tmp_path: Path) -> Begin:
    """Begin a draft with an original and a conversion of it in the library, or without the latter."""

    def begin(
        answer: Outline | RequestFailed | None = None,
        *,
        has_kin: bool = True,
        machine: Machine = MACHINE,
        own: Sequence[Recipe] = (),
    ) -> StudyDraft:
        write_model(facet.models / WHALE, {"model.embed_tokens.weight": ("BF16", (4096, 256))})
        packed = {"embed_tokens.weight": ("U32", (4096, 64)), "embed_tokens.scales": ("BF16", (4096, 4))}
        packed["embed_tokens.biases"] = ("BF16", (4096, 4))
        if has_kin:
            quantization = {"group_size": 64, "bits": 8}
            write_model(
                facet.models / SMALL, {f"model.{name}": of for name, of in packed.items()}, quantization=quantization
            )
        facet.ready(qtbot)
        folders = Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")
        questions = OutlineAnswers(answer or outline())
        pace = default_speeds(has_metal=True)
        draft = StudyDraft(
            folders,
            facet.library,
            questions,
            machine,
            pace=lambda _study: pace,
            names=lambda: ["Whale"],
            user_recipes=lambda: own,
            parent=facet,
        )
        draft.begin(facet.library.description(WHALE))
        return draft

    return begin


def test_conversions_of_the_same_network_are_ticked(begin: Begin) -> None:
    """Models of other networks are not offered."""
    draft = begin()
    assert [kin.model.id for kin in draft.kin] == [SMALL]
    assert draft.plan
    assert (draft.plan.candidates, draft.plan.recipes) == ((SMALL,), ())


def test_without_any_the_usual_recipes_are_ticked(begin: Begin) -> None:
    draft = begin(has_kin=False)
    assert draft.plan
    assert set(draft.plan.recipes) == set(DEFAULT_RECIPES)


def test_the_name_is_one_that_is_free(begin: Begin) -> None:
    """A taken one is said to be taken."""
    draft = begin()
    assert draft.name == "Whale 2"
    draft.rename("whale")
    forecast = draft.forecast()
    assert forecast
    assert "already" in forecast.problem


def test_the_forecast_grows_with_what_is_ticked(begin: Begin) -> None:
    """What recipes make takes room on the disk."""
    draft = begin()
    before = draft.forecast()
    draft.tick("4bit", ticked=True)
    after = draft.forecast()
    assert before
    assert after
    assert after.disk_bytes > before.disk_bytes
    assert (before.steps, after.steps) == ("2 models", "3 models, 1 of them to convert first")


def test_nothing_ticked_is_no_study(begin: Begin) -> None:
    draft = begin()
    draft.tick(SMALL, ticked=False)
    forecast = draft.forecast()
    assert forecast
    assert forecast.problem.startswith("Select at least one")


def test_a_model_that_cannot_be_converted_can_be_an_original(begin: Begin) -> None:
    """What is there can be held against it."""
    draft = begin(RequestFailed(id="", error="UnsupportedModel", title="Not supported", message="Its kind is new."))
    assert draft.cards == []
    assert draft.trouble == "This model can't be converted: Its kind is new."
    forecast = draft.forecast()
    assert forecast
    assert forecast.problem == ""


def test_a_text_that_is_gone_is_missed(begin: Begin, tmp_path: Path) -> None:
    draft = begin()
    text = tmp_path / "notes.txt"
    text.write_text("The sea. " * 1000)
    draft.choose(corpus_file=str(text))
    text.unlink()
    forecast = draft.forecast()
    assert forecast
    assert "notes.txt no longer exists" in forecast.problem


def test_an_original_that_does_not_fit_needs_a_stand_in(begin: Begin) -> None:
    """It is said before the start; with the stand-in, the study can begin."""
    draft = begin(machine=Machine(1_600_000, 1_600_000, "for the test", has_metal=True))
    draft.choose(has_speed=False)
    forecast = draft.forecast()
    assert forecast
    assert forecast.is_original_too_large
    assert "maker/Whale-bf16 doesn't fit this Mac" in forecast.problem
    draft.choose(stand_in=True)
    study = draft.study()
    assert study
    assert study.reference_row.is_stand_in


def test_a_study_can_be_taken_up_again(begin: Begin) -> None:
    """All of its plan but the name."""
    draft = begin()
    draft.choose(is_whole=True, kinds=frozenset({"prose"}), cache_bits=(16, 4), gates=Gates(max_mean_kl=0.05))
    draft.tick("4bit", ticked=True)
    plan, study = draft.plan, draft.study()
    draft.begin()
    assert draft.plan != plan
    assert study
    assert draft.begin_like(study)
    assert draft.plan == plan


def test_what_the_window_does_not_show_of_a_plan_is_kept(begin: Begin) -> None:
    """A plan of the command line says more than can be chosen here."""
    draft = begin()
    study, plan = draft.study(), draft.plan
    assert study
    assert plan
    rare = msgspec.structs.replace(
        plan, convention=Convention(64), tail_mass=0, limit_tokens=4096, speed=SpeedPlan(prompts=(64,), depths=(0,))
    )
    draft.begin_like(msgspec.structs.replace(study, plan=rare))
    assert draft.plan == rare


def test_without_its_original_no_study_is_taken_up(begin: Begin, qtbot: QtBot) -> None:
    """It is said, instead of taking another one."""
    draft = begin()
    study = draft.study()
    assert study
    gone = msgspec.structs.replace(study.original, label="maker/Orca")
    with qtbot.waitSignal(draft.problem) as told:
        assert not draft.begin_like(msgspec.structs.replace(study, rows=(gone, *study.candidates)))
    assert "maker/Orca is no longer on this Mac" in told.args[1]


def test_what_comes_meanwhile_is_ticked(begin: Begin, facet: Facet, qtbot: QtBot) -> None:
    """It was downloaded, or made, to be compared."""
    draft = begin(has_kin=False)
    card = facet.models / "other" / "Orca" / "README.md"
    write_model(card.parent, {"model.embed_tokens.weight": ("F16", (4096, 256))})
    card.write_text(f"---\nbase_model: {WHALE}\n---\n")
    facet.ready(qtbot)
    draft.refresh()
    assert draft.has("other/Orca")


def test_what_a_recipe_has_made_is_not_made_again(begin: Begin, facet: Facet) -> None:
    """The folder says by which recipe, and of what; the conversion is among the candidates."""
    draft = begin()
    assert draft.has(SMALL)
    assert "balanced-4bit" in [card.name for card in draft.cards]
    recipe = builtin.recipe("balanced-4bit")
    note = provenance.Provenance(source="Whale-bf16", settings=msgspec.to_builtins(recipe))
    provenance.write(facet.models / SMALL, note)
    draft.refresh()
    assert "balanced-4bit" not in [card.name for card in draft.cards]


def test_the_person_s_own_recipes_can_be_ticked(begin: Begin) -> None:
    """Their conversions are named by their keys."""
    own = msgspec.structs.replace(builtin.recipe("balanced-4bit"), name="My-best-try", title="My best / try")
    draft = begin(has_kin=False, own=(own,))
    draft.tick("My-best-try", ticked=True)
    study = draft.study()
    assert study
    assert "maker/Whale-bf16-My-best-try" in [row.label for row in study.candidates]


def test_a_fine_tune_is_offered_but_not_ticked(begin: Begin, facet: Facet) -> None:
    """It is the same network, but was made from another model, as its card says."""
    draft = begin()
    card = facet.models / SMALL / "README.md"
    card.write_text("---\nbase_model: maker/Orca\n---\n")
    draft.begin(draft.original)
    assert [(kin.base, kin.is_sure) for kin in draft.kin] == [("maker/Orca", False)]
    assert not draft.has(SMALL)
    card.write_text(f"---\nbase_model: {WHALE}\n---\n")
    draft.begin(draft.original)
    assert draft.has(SMALL)


def test_own_recipes_called_like_others_are_told_apart(begin: Begin) -> None:
    """Those that Facet brings along, and models that another recipe has made, keep their names."""
    five = msgspec.structs.replace(builtin.recipe("balanced-5bit"), name="balanced-4bit")
    twin = msgspec.structs.replace(builtin.recipe("balanced-6bit"), name="balanced-4bit")
    draft = begin(has_kin=False, own=(five, twin))
    own = [card for card in draft.cards if card.is_users]
    assert sorted(card.name for card in own) == ["balanced-4bit-2", "balanced-4bit-3"]
    for card in own:
        draft.tick(card.name, ticked=True)
    study = draft.study()
    assert study
    made = {row.recipe.name: row.recipe for row in study.candidates if row.recipe}
    assert made["balanced-4bit-2"].rules == five.rules


def test_a_recipe_that_has_changed_makes_another_model(begin: Begin, facet: Facet) -> None:
    """The model that it made when it was another recipe stays, and is not taken for its own."""
    own = msgspec.structs.replace(builtin.recipe("balanced-5bit"), name="Mine")
    old = facet.models / f"{WHALE}-Mine"
    old.mkdir(parents=True)
    provenance.write(old, provenance.Provenance(settings=msgspec.to_builtins(builtin.recipe("balanced-4bit"))))
    draft = begin(has_kin=False, own=(own,))
    assert [card.name for card in draft.cards if card.is_users] == ["Mine-2"]
