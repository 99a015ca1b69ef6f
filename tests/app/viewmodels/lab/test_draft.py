"""The draft of a study."""

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

StartDraft = Callable[..., StudyDraft]


@pytest.fixture
def start_draft(facet: Facet, qtbot: QtBot, tmp_path: Path) -> StartDraft:
    """Return a function that starts a draft, with the original and optionally a conversion of it in the library."""

    def start_draft(
        answer: Outline | RequestFailed | None = None,
        *,
        has_conversion: bool = True,
        machine: Machine = MACHINE,
        user_recipes: Sequence[Recipe] = (),
    ) -> StudyDraft:
        write_model(facet.models / WHALE, {"model.embed_tokens.weight": ("BF16", (4096, 256))})
        packed = {"embed_tokens.weight": ("U32", (4096, 64)), "embed_tokens.scales": ("BF16", (4096, 4))}
        packed["embed_tokens.biases"] = ("BF16", (4096, 4))
        if has_conversion:
            quantization = {"group_size": 64, "bits": 8}
            write_model(
                facet.models / SMALL, {f"model.{name}": of for name, of in packed.items()}, quantization=quantization
            )
        facet.ready(qtbot)
        folders = Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")
        questions = OutlineAnswers(answer or outline())
        speeds = default_speeds(has_metal=True)
        draft = StudyDraft(
            folders,
            facet.library,
            questions,
            machine,
            speeds=lambda _study: speeds,
            names=lambda: ["Whale"],
            user_recipes=lambda: user_recipes,
            parent=facet,
        )
        draft.start(facet.library.description(WHALE))
        return draft

    return start_draft


def test_conversions_of_the_original_are_selected(start_draft: StartDraft) -> None:
    """Models of other networks are not offered."""
    draft = start_draft()
    assert [entry.model.id for entry in draft.related] == [SMALL]
    assert draft.plan
    assert (draft.plan.candidates, draft.plan.recipes) == ((SMALL,), ())


def test_without_conversions_the_default_recipes_are_selected(start_draft: StartDraft) -> None:
    draft = start_draft(has_conversion=False)
    assert draft.plan
    assert set(draft.plan.recipes) == set(DEFAULT_RECIPES)


def test_the_default_name_is_unused(start_draft: StartDraft) -> None:
    """A used name is a problem."""
    draft = start_draft()
    assert draft.name == "Whale 2"
    draft.rename("whale")
    estimate = draft.estimate()
    assert estimate
    assert "already" in estimate.problem


def test_the_estimate_includes_selected_recipes(start_draft: StartDraft) -> None:
    """Their conversions take disk space."""
    draft = start_draft()
    before = draft.estimate()
    draft.select("4bit", selected=True)
    after = draft.estimate()
    assert before
    assert after
    assert after.disk_bytes > before.disk_bytes
    assert (before.models, after.models) == ("2 models", "3 models, 1 to convert first")


def test_a_selection_is_required(start_draft: StartDraft) -> None:
    draft = start_draft()
    draft.select(SMALL, selected=False)
    estimate = draft.estimate()
    assert estimate
    assert estimate.problem.startswith("Select at least one")


def test_a_model_that_cannot_be_converted_can_be_an_original(start_draft: StartDraft) -> None:
    """Existing models can be compared with it."""
    draft = start_draft(
        RequestFailed(id="", error="UnsupportedModel", title="Not supported", message="Its kind is new.")
    )
    assert draft.recipe_cards == []
    assert draft.layers_problem == "This model can't be converted: Its kind is new."
    estimate = draft.estimate()
    assert estimate
    assert estimate.problem == ""


def test_a_deleted_text_is_a_problem(start_draft: StartDraft, tmp_path: Path) -> None:
    draft = start_draft()
    text = tmp_path / "notes.txt"
    text.write_text("The sea. " * 1000)
    draft.set_options(corpus_file=str(text))
    text.unlink()
    estimate = draft.estimate()
    assert estimate
    assert "notes.txt was deleted or moved" in estimate.problem


def test_an_original_that_is_too_large_needs_a_stand_in(start_draft: StartDraft) -> None:
    """The problem is shown before the start. With a stand-in, the study can start."""
    draft = start_draft(machine=Machine(1_600_000, 1_600_000, "for the test", has_metal=True))
    draft.set_options(measures_speed=False)
    estimate = draft.estimate()
    assert estimate
    assert estimate.is_original_too_large
    assert "maker/Whale-bf16 does not fit on this Mac" in estimate.problem
    draft.set_options(stand_in=True)
    study = draft.study()
    assert study
    assert study.reference_row.is_stand_in


def test_a_study_can_be_duplicated(start_draft: StartDraft) -> None:
    """Except for its name."""
    draft = start_draft()
    draft.set_options(
        uses_all_tokens=True, kinds=frozenset({"prose"}), cache_bits=(16, 4), gates=Gates(max_mean_kl=0.05)
    )
    draft.select("4bit", selected=True)
    plan, study = draft.plan, draft.study()
    draft.start()
    assert draft.plan != plan
    assert study
    assert draft.start_from(study)
    assert draft.plan == plan


def test_hidden_options_of_a_plan_are_kept(start_draft: StartDraft) -> None:
    """Plans of the command line have options that the page does not show."""
    draft = start_draft()
    study, plan = draft.study(), draft.plan
    assert study
    assert plan
    unusual = msgspec.structs.replace(
        plan, convention=Convention(64), tail_mass=0, limit_tokens=4096, speed=SpeedPlan(prompts=(64,), depths=(0,))
    )
    draft.start_from(msgspec.structs.replace(study, plan=unusual))
    assert draft.plan == unusual


def test_a_study_without_its_original_is_not_duplicated(start_draft: StartDraft, qtbot: QtBot) -> None:
    """It is reported, instead of choosing another original."""
    draft = start_draft()
    study = draft.study()
    assert study
    missing = msgspec.structs.replace(study.original, label="maker/Orca")
    with qtbot.waitSignal(draft.problem) as problem:
        assert not draft.start_from(msgspec.structs.replace(study, rows=(missing, *study.candidates)))
    assert "maker/Orca is no longer on this Mac" in problem.args[1]


def test_new_conversions_are_selected(start_draft: StartDraft, facet: Facet, qtbot: QtBot) -> None:
    """They were downloaded or converted for the comparison."""
    draft = start_draft(has_conversion=False)
    card = facet.models / "other" / "Orca" / "README.md"
    write_model(card.parent, {"model.embed_tokens.weight": ("F16", (4096, 256))})
    card.write_text(f"---\nbase_model: {WHALE}\n---\n")
    facet.ready(qtbot)
    draft.refresh()
    assert draft.is_selected("other/Orca")


def test_an_existing_conversion_replaces_its_recipe(start_draft: StartDraft, facet: Facet) -> None:
    """Its provenance has the recipe; the conversion is a candidate."""
    draft = start_draft()
    assert draft.is_selected(SMALL)
    assert "balanced-4bit" in [card.name for card in draft.recipe_cards]
    recipe = builtin.recipe("balanced-4bit")
    note = provenance.Provenance(source="Whale-bf16", settings=msgspec.to_builtins(recipe))
    provenance.write(facet.models / SMALL, note)
    draft.refresh()
    assert "balanced-4bit" not in [card.name for card in draft.recipe_cards]


def test_the_users_recipes_can_be_selected(start_draft: StartDraft) -> None:
    """Their conversions are named by their keys."""
    recipe = msgspec.structs.replace(builtin.recipe("balanced-4bit"), name="My-best-try", title="My best / try")
    draft = start_draft(has_conversion=False, user_recipes=(recipe,))
    draft.select("My-best-try", selected=True)
    study = draft.study()
    assert study
    assert "maker/Whale-bf16-My-best-try" in [row.label for row in study.candidates]


def test_a_fine_tune_is_offered_but_not_selected(start_draft: StartDraft, facet: Facet) -> None:
    """It has the same network, but another base model."""
    draft = start_draft()
    card = facet.models / SMALL / "README.md"
    card.write_text("---\nbase_model: maker/Orca\n---\n")
    draft.start(draft.original)
    assert [(entry.base, entry.is_confirmed) for entry in draft.related] == [("maker/Orca", False)]
    assert not draft.is_selected(SMALL)
    card.write_text(f"---\nbase_model: {WHALE}\n---\n")
    draft.start(draft.original)
    assert draft.is_selected(SMALL)


def test_user_recipes_get_unique_names(start_draft: StartDraft) -> None:
    """Built-in recipes and existing conversions keep their names."""
    five = msgspec.structs.replace(builtin.recipe("balanced-5bit"), name="balanced-4bit")
    six = msgspec.structs.replace(builtin.recipe("balanced-6bit"), name="balanced-4bit")
    draft = start_draft(has_conversion=False, user_recipes=(five, six))
    user_cards = [card for card in draft.recipe_cards if card.is_users]
    assert sorted(card.name for card in user_cards) == ["balanced-4bit-2", "balanced-4bit-3"]
    for card in user_cards:
        draft.select(card.name, selected=True)
    study = draft.study()
    assert study
    recipes = {row.recipe.name: row.recipe for row in study.candidates if row.recipe}
    assert recipes["balanced-4bit-2"].rules == five.rules


def test_a_changed_recipe_makes_a_new_conversion(start_draft: StartDraft, facet: Facet) -> None:
    """The conversion by its earlier version stays."""
    recipe = msgspec.structs.replace(builtin.recipe("balanced-5bit"), name="Mine")
    old = facet.models / f"{WHALE}-Mine"
    old.mkdir(parents=True)
    provenance.write(old, provenance.Provenance(settings=msgspec.to_builtins(builtin.recipe("balanced-4bit"))))
    draft = start_draft(has_conversion=False, user_recipes=(recipe,))
    assert [card.name for card in draft.recipe_cards if card.is_users] == ["Mine-2"]
