"""Preparing to quantize a model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from app.viewmodels.quantize.conversion_plan import bare_name
from app.viewmodels.quantize.quantize import FIRST_CHOICE, Quantize
from app.viewmodels.quantize.recipe_cards import USER_RECIPES, unquantized_tensors
from app.viewmodels.quantize.recipe_store import RecipeStore
from app.viewmodels.quantize.state import ModelFailed, ReadingModel, RecipesReady, RepositoryFailed
from mlx_engine.errors import NoSpace, StorageError
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.memory.machine import mac
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.forecast import forecast
from mlx_engine.quantize.plan.messages import Convert
from mlx_engine.quantize.plan.outline import Outline
from mlx_engine.quantize.recipes.builtin import recipe
from mlx_engine.quantize.recipes.recipe import Format
from tests.app.fake_models import make_model
from tests.app.outlines import TO_COME, OutlineAnswers, outline

MACHINE = mac(16 * 2**30, "")
FAILURE = RequestFailed(
    id="", error="UnsupportedModel", title="This model is not supported", message="Its kind is new."
)

OpenModel = Callable[..., Quantize]


class Queue(list[Convert]):
    """Accepts conversions or rejects them."""

    def __call__(self, request: Convert) -> None:
        if any(job.target == request.target for job in self):
            raise StorageError(f"{request.model_id} is being made already, in another way. Choose another name.")
        self.append(request)


@pytest.fixture
def model(tmp_path: Path) -> ModelDescription:
    return describe(make_model(tmp_path / "models", "maker/Whale-bf16"), "maker/Whale-bf16")


@pytest.fixture
def open_model(qapp: object, tmp_path: Path, model: ModelDescription) -> OpenModel:
    """Return a function that opens the model with an outline or a failure."""

    def open_model(answer: Outline | RequestFailed | None = None, queue: Queue | None = None) -> Quantize:
        store = RecipeStore(tmp_path / "recipes")
        questions = OutlineAnswers(answer or outline())
        quantize = Quantize(tmp_path / "models", questions, store, MACHINE, Queue() if queue is None else queue)
        quantize.open(model)
        return quantize

    return open_model


def test_a_model_is_read_before_cards_are_shown(tmp_path: Path, model: ModelDescription, qapp: object) -> None:
    """No cards are shown, and nothing can start, until its layers are read."""
    questions = OutlineAnswers(outline(), hold=True)
    quantize = Quantize(tmp_path, questions, RecipeStore(tmp_path / "recipes"), MACHINE, Queue())
    quantize.open(model)
    assert isinstance(quantize.state, ReadingModel)
    assert (quantize.cards, quantize.can_start) == ([], False)
    questions.answer_now()
    assert isinstance(quantize.state, RecipesReady)


def test_every_card_has_the_exact_forecast(open_model: OpenModel) -> None:
    """It equals the forecast of the conversion."""
    quantize = open_model()
    for card in quantize.cards:
        assert card.forecast
        assert card.forecast.conversion == forecast(outline(), card.recipe)
    sizes = {card.name: card.forecast.conversion.size_bytes for card in quantize.cards if card.forecast}
    assert sizes["3bit"] < sizes["4bit"] < sizes["4bit-g32"] < sizes["bf16"]


def test_memory_follows_the_context(open_model: OpenModel) -> None:
    """A longer context needs at least as much memory; it is limited to the model's maximum."""
    quantize = open_model()

    def contexts() -> set[int]:
        return {card.forecast.memory.estimate.context for card in quantize.cards if card.forecast}

    quantize.set_context(2048)
    assert contexts() == {2048}
    quantize.set_context(131072)
    assert contexts() == {4096}


def test_one_recipe_is_selected_at_first(open_model: OpenModel) -> None:
    """Its result has the model's name with the new precision, next to the original."""
    quantize = open_model()
    assert [(plan.card.name, plan.name) for plan in quantize.plans] == [(FIRST_CHOICE, f"Whale-{FIRST_CHOICE}")]
    assert quantize.can_start


def test_several_conversions_of_one_model_start_together(open_model: OpenModel, model: ModelDescription) -> None:
    """Each has its own recipe and name; afterwards nothing is selected."""
    queue = Queue()
    quantize = open_model(queue=queue)
    quantize.choose("8bit", chosen=True)
    quantize.rename("8bit", "Whale-large")
    quantize.start()
    assert [job.model_id for job in queue] == [f"maker/Whale-{FIRST_CHOICE}", "maker/Whale-large"]
    assert queue[1].recipe == recipe("8bit")
    assert (queue[1].source, Path(queue[1].target).name) == (str(model.path), "Whale-large")
    assert quantize.plans == []


def test_an_existing_name_has_an_alternative(open_model: OpenModel, tmp_path: Path) -> None:
    quantize = open_model()
    (tmp_path / "models" / "maker" / f"Whale-{FIRST_CHOICE}").mkdir()
    plan = quantize.plans[0]
    assert "already" in plan.problem
    assert not quantize.can_start
    quantize.rename(FIRST_CHOICE, plan.free_name)
    assert quantize.plans[0].problem == ""
    assert quantize.can_start


@pytest.mark.parametrize("name", ["../elsewhere", "", ".hidden", "a/b", "Whale.partial", "x" * 200])
def test_a_name_stays_in_its_folder(open_model: OpenModel, name: str) -> None:
    """An invalid folder name is reported; an empty one is replaced by the default."""
    quantize = open_model()
    quantize.rename(FIRST_CHOICE, name)
    assert quantize.can_start == (not name)


def test_two_results_have_two_names(open_model: OpenModel) -> None:
    """Case is ignored, as on most Mac disks."""
    quantize = open_model()
    quantize.choose("8bit", chosen=True)
    quantize.rename("8bit", f"whale-{FIRST_CHOICE.upper()}")
    assert [bool(plan.problem) for plan in quantize.plans] == [False, True]


def test_a_rejection_by_the_queue_is_reported(open_model: OpenModel) -> None:
    queue = Queue()
    quantize, problems = open_model(queue=queue), []
    quantize.problem.connect(lambda title, message: problems.append((title, message)))
    quantize.start()
    quantize.choose(FIRST_CHOICE, chosen=True)
    quantize.start()
    assert problems[0][0] == f"Couldn't start Whale-{FIRST_CHOICE}"
    assert len(queue) == 1


def test_a_quantized_model_has_a_warning_and_no_selected_recipe(open_model: OpenModel) -> None:
    """The user can still select one; the lossless recipe comes first."""
    quantize = open_model(outline(quantization="4-bit g64"))
    assert "4-bit g64" in quantize.warnings[0]
    assert quantize.plans == []
    assert quantize.cards[0].name == "lossless"
    assert open_model().warnings == []


def test_a_quantized_model_that_does_not_run_is_converted_losslessly(
    open_model: OpenModel, model: ModelDescription
) -> None:
    quantize = open_model(outline(quantization="4-bit g64"))
    quantize.open(replace(model, obstacle="Its format does not run."))
    assert [plan.card.name for plan in quantize.plans] == ["lossless"]


def test_a_model_that_cannot_be_read_has_a_reason(open_model: OpenModel, model: ModelDescription) -> None:
    quantize = open_model(FAILURE)
    assert quantize.state == ModelFailed(model, FAILURE.title, FAILURE.message)
    assert (quantize.cards, quantize.plans, quantize.can_start) == ([], [], False)


def test_an_edited_recipe_is_a_selected_card(open_model: OpenModel) -> None:
    quantize = open_model()
    origin = recipe("4bit")
    quantize.save_recipe(recipe("5bit"), "For the train", origin)
    card = quantize.card("For-the-train")
    assert card
    assert (card.group, card.recipe.purpose) == (USER_RECIPES, "Based on 4-bit.")
    assert card.recipe.default == Format(bits=5)
    assert quantize.is_chosen("For-the-train")
    quantize.recipe_store.delete("For-the-train")
    assert quantize.card("For-the-train") is None
    assert [plan.card.name for plan in quantize.plans] == [FIRST_CHOICE]


def test_a_recipe_for_another_model_cannot_be_selected(open_model: OpenModel) -> None:
    """It names a matrix that this model does not have; the card stays visible."""
    quantize = open_model()
    other = outline(layers=12).parameters[-3].path
    naming = msgspec.structs.replace(recipe("4bit"), tensors={other: Format(bits=8)})
    quantize.save_recipe(naming, "For a larger one", recipe("4bit"))
    card = quantize.card("For-a-larger-one")
    assert card
    assert other in card.problem
    assert not quantize.is_chosen("For-a-larger-one")


def test_unquantized_tensors_are_grouped_by_reason(open_model: OpenModel) -> None:
    quantize = open_model(outline(odd=100))
    card = quantize.card("4bit")
    assert card
    assert card.forecast
    counts_by_reason = {reason: count for count, reason in unquantized_tensors(card.forecast.conversion)}
    assert counts_by_reason == {"each a norm": "8 tensors", "its rows of 100 weights do not divide by 64": "8 tensors"}


def test_a_full_disk_is_reported_before_the_start(
    open_model: OpenModel, model: ModelDescription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the rule of the conversion, including the files that are copied."""
    (model.path / "tokenizer.json").write_bytes(bytes(2_000_000))
    quantize = open_model()
    monkeypatch.setattr(preflight, "DISK_RESERVE_BYTES", 2**60)
    with pytest.raises(NoSpace) as refused:
        preflight.check(model.path, tmp_path / "models" / "new", recipe(FIRST_CHOICE), outline())
    needed = refused.value.message.partition(";")[0]
    assert quantize.obstacle.partition(";")[0] == needed
    assert not quantize.can_start


def test_the_original_is_deleted_only_with_a_single_recipe(open_model: OpenModel) -> None:
    """A second recipe needs it too and resets the choice."""
    queue = Queue()
    quantize = open_model(queue=queue)
    assert not quantize.removes_source
    quantize.remove_source(removes=True)
    assert quantize.removes_source
    quantize.choose("8bit", chosen=True)
    assert not quantize.removes_source
    quantize.start()
    assert [job.remove_source for job in queue] == [False, False]
    quantize.choose(FIRST_CHOICE, chosen=True)
    quantize.rename(FIRST_CHOICE, "Whale-alone")
    assert not quantize.removes_source
    quantize.remove_source(removes=True)
    quantize.start()
    assert queue[-1].remove_source


@pytest.mark.parametrize(
    "name",
    [
        "Whale-bf16",
        "Whale-FP32",
        "Whale.float16",
        "Whale-Q4_K_M",
        "Whale-q8_0",
        "Whale-4bit",
        "Whale-6bit-g32",
        "Whale-mxfp4",
        "Whale",
    ],
)
def test_the_name_of_a_result_omits_the_original_precision(model: ModelDescription, name: str) -> None:
    assert bare_name(replace(model, name=name)) == "Whale"


@pytest.mark.parametrize("name", ["Whale-4B", "Phi-4", "Qwen3-0.6B", "Whale-8x7B"])
def test_sizes_stay_in_the_name(model: ModelDescription, name: str) -> None:
    assert bare_name(replace(model, name=name)) == name


@pytest.fixture
def fetch(qapp: object, tmp_path: Path) -> OpenModel:
    """Return a function that opens a model of the Hub with an outline or a failure."""

    def fetch(answer: Outline | RequestFailed | None = None, queue: Queue | None = None) -> Quantize:
        questions = OutlineAnswers(answer or outline())
        questions.headers["maker/Whale-bf16"] = make_model(tmp_path / "headers", "maker/Whale-bf16")
        store = RecipeStore(tmp_path / "recipes")
        quantize = Quantize(tmp_path / "models", questions, store, MACHINE, Queue() if queue is None else queue)
        quantize.open_repository("maker/Whale-bf16")
        return quantize

    return fetch


def test_a_model_on_the_hub_has_the_same_cards(fetch: OpenModel, open_model: OpenModel) -> None:
    """Its headers contain everything a forecast needs."""
    assert [card.forecast and card.forecast.conversion.size_bytes for card in fetch().cards] == [
        card.forecast and card.forecast.conversion.size_bytes for card in open_model().cards
    ]


def test_a_model_on_the_hub_is_converted_during_its_download(fetch: OpenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job has the repository and commit instead of a folder."""
    monkeypatch.setattr(preflight, "free_bytes", lambda _: 100 * 10**9)
    queue = Queue()
    quantize = fetch(queue=queue)
    quantize.remove_source(removes=True)
    quantize.start()
    assert [(job.source, job.repository, job.commit, job.remove_source) for job in queue] == [
        ("", "maker/Whale-bf16", "c0ffee", True)
    ]
    assert queue[0].model_id == "maker/Whale-balanced-4bit"


def test_a_disk_too_small_for_both_models_has_a_remedy(fetch: OpenModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has space for a part of the original at a time."""
    monkeypatch.setattr(preflight, "free_bytes", lambda _: TO_COME)
    quantize = fetch()
    assert "Removing the original's files" in quantize.obstacle
    quantize.remove_source(removes=True)
    assert quantize.obstacle == ""


def test_a_hub_failure_can_be_retried(fetch: OpenModel) -> None:
    """It has the name of the repository."""
    quantize = fetch(FAILURE)
    assert quantize.state == RepositoryFailed("maker/Whale-bf16", FAILURE.title, FAILURE.message)
    quantize.try_again()
    assert isinstance(quantize.state, RepositoryFailed)
