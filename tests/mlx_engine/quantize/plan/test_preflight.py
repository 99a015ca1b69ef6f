from pathlib import Path

import pytest

from mlx_engine.errors import FacetError, InvalidRecipe, NoSpace, OutOfMemory, StorageError, UnsupportedModel
from mlx_engine.models.files.staging import locked_partial
from mlx_engine.quantize.plan import preflight
from mlx_engine.quantize.plan.outline import Outline, Parameter
from mlx_engine.quantize.recipes.builtin import recipe
from tests.gguf_files import tiny_model
from tests.model_folders import write_model


def outline(*shape: int) -> Outline:
    """A network of one matrix."""
    parameter = Parameter(name="model.embed_tokens.weight", shape=shape, dtype="BF16", can_be_quantized=True)
    return Outline(architecture="llama", layers=0, dtype="bfloat16", parameters=(parameter,))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_model(tmp_path / "owner" / "tiny")


def refusal(source: Path, target: Path) -> FacetError:
    with pytest.raises(FacetError) as refused:
        preflight.check_start(source, target)
    return refused.value


def test_what_can_be_done_is_forecast(source: Path, tmp_path: Path) -> None:
    """Exactly, and nothing is written."""
    expected = preflight.check(source, tmp_path / "new" / "model", recipe("4bit"), outline(10, 64))
    assert expected.bits_per_weight == 4.5
    assert not (tmp_path / "new").exists()


def test_a_target_that_is_there_is_refused_with_a_free_name(source: Path, tmp_path: Path) -> None:
    """The first number that nothing has."""
    for name in ("model", "model-2"):
        (tmp_path / "owner" / name).mkdir()
    refused = refusal(source, tmp_path / "owner" / "model")
    assert isinstance(refused, StorageError)
    assert "model-3" in refused.message


def test_a_target_that_is_being_made_is_refused(source: Path, tmp_path: Path) -> None:
    """By whichever process."""
    with locked_partial(tmp_path / "new" / "model"):
        assert "already being created" in refusal(source, tmp_path / "new" / "model").message


def test_a_target_inside_its_source_is_refused(source: Path) -> None:
    """It would be copied into itself."""
    assert "cannot be inside the folder" in refusal(source, source / "result").message


def test_a_target_below_a_file_is_refused(source: Path, tmp_path: Path) -> None:
    """As one where Facet has no rights."""
    (tmp_path / "file").write_text("")
    assert "does not have permission" in refusal(source, tmp_path / "file" / "model").message


def test_an_architecture_that_mlx_lm_lacks_is_refused(tmp_path: Path) -> None:
    """By its name."""
    refused = refusal(write_model(tmp_path / "source", model_type="unheard"), tmp_path / "model")
    assert isinstance(refused, UnsupportedModel)
    assert "'unheard'" in refused.message


def test_a_gguf_file_is_looked_at_as_well(tmp_path: Path) -> None:
    """That it must be imported before a chat is nothing against converting it."""
    tiny_model().write(tmp_path / "model.gguf")
    assert preflight.check_start(tmp_path / "model.gguf", tmp_path / "model").format == "gguf"


def test_a_disk_without_room_is_refused_with_the_figures(source: Path, tmp_path: Path) -> None:
    """A petabyte is more than there is."""
    with pytest.raises(NoSpace, match="kept free"):
        preflight.check(source, tmp_path / "model", recipe("8bit"), outline(2**44, 64))


def test_a_recipe_that_quantizes_nothing_is_refused(source: Path, tmp_path: Path) -> None:
    """With the reason, for one of the matrices; to keep all is another matter."""
    with pytest.raises(InvalidRecipe, match="its rows of 100 weights do not divide by 64"):
        preflight.check(source, tmp_path / "model", recipe("4bit"), outline(10, 100))
    assert preflight.check(source, tmp_path / "model", recipe("bf16"), outline(10, 100)).bits_per_weight == 16


def test_too_little_memory_is_refused(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what is free."""
    monkeypatch.setattr(preflight, "WORK_BYTES", 2**60)
    assert isinstance(refusal(source, tmp_path / "model"), OutOfMemory)
