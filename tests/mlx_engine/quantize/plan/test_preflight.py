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
    """Return a network of one matrix."""
    parameter = Parameter(name="model.embed_tokens.weight", shape=shape, dtype="BF16", can_be_quantized=True)
    return Outline(architecture="llama", layers=0, dtype="bfloat16", parameters=(parameter,))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_model(tmp_path / "owner" / "tiny")


def refusal(source: Path, target: Path) -> FacetError:
    with pytest.raises(FacetError) as refused:
        preflight.check_start(source, target)
    return refused.value


def test_a_possible_conversion_has_a_forecast(source: Path, tmp_path: Path) -> None:
    """It is exact, and no file is written."""
    expected = preflight.check(source, tmp_path / "new" / "model", recipe("4bit"), outline(10, 64))
    assert expected.bits_per_weight == 4.5
    assert not (tmp_path / "new").exists()


def test_an_existing_target_is_rejected_with_a_free_name(source: Path, tmp_path: Path) -> None:
    """With the first free number."""
    for name in ("model", "model-2"):
        (tmp_path / "owner" / name).mkdir()
    refused = refusal(source, tmp_path / "owner" / "model")
    assert isinstance(refused, StorageError)
    assert "model-3" in refused.message


def test_a_target_that_is_being_created_is_rejected(source: Path, tmp_path: Path) -> None:
    """By any process."""
    with locked_partial(tmp_path / "new" / "model"):
        assert "already being created" in refusal(source, tmp_path / "new" / "model").message


def test_a_target_inside_its_source_is_refused(source: Path) -> None:
    """Otherwise it would be copied into itself."""
    assert "cannot be inside the folder" in refusal(source, source / "result").message


def test_a_target_below_a_file_is_refused(source: Path, tmp_path: Path) -> None:
    """Like a folder without write permission."""
    (tmp_path / "file").write_text("")
    assert "does not have permission" in refusal(source, tmp_path / "file" / "model").message


def test_an_unsupported_architecture_is_rejected_by_name(tmp_path: Path) -> None:
    refused = refusal(write_model(tmp_path / "source", model_type="unheard"), tmp_path / "model")
    assert isinstance(refused, UnsupportedModel)
    assert "'unheard'" in refused.message


def test_a_gguf_file_can_be_converted(tmp_path: Path) -> None:
    """Even if it must be imported before a chat."""
    tiny_model().write(tmp_path / "model.gguf")
    assert preflight.check_start(tmp_path / "model.gguf", tmp_path / "model").format == "gguf"


def test_a_full_disk_is_rejected_with_both_sizes(source: Path, tmp_path: Path) -> None:
    """No disk has a petabyte."""
    with pytest.raises(NoSpace, match="kept free"):
        preflight.check(source, tmp_path / "model", recipe("8bit"), outline(2**44, 64))


def test_a_recipe_without_effect_is_rejected(source: Path, tmp_path: Path) -> None:
    """With the reason for one of the matrices; a recipe that keeps all is valid."""
    with pytest.raises(InvalidRecipe, match="its rows of 100 weights do not divide by 64"):
        preflight.check(source, tmp_path / "model", recipe("4bit"), outline(10, 100))
    assert preflight.check(source, tmp_path / "model", recipe("bf16"), outline(10, 100)).bits_per_weight == 16


def test_insufficient_memory_is_rejected(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the free memory."""
    monkeypatch.setattr(preflight, "WORK_BYTES", 2**60)
    assert isinstance(refusal(source, tmp_path / "model"), OutOfMemory)
