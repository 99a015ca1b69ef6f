import pytest

from mlx_engine.models.files.side_files import is_part, is_system_file


@pytest.mark.parametrize("name", ["._model.safetensors", ".DS_Store", "Thumbs.db"])
def test_files_of_the_system_are_recognized(name: str) -> None:
    assert is_system_file(name)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", ".gitattributes"])
def test_files_of_models_are_not(name: str) -> None:
    assert not is_system_file(name)


@pytest.mark.parametrize(
    "name",
    ["mmproj-F16.gguf", "a-mmproj-f16.gguf", "mtp-a.gguf", "imatrix.gguf", "a.imatrix.gguf", "a-lora-f16.gguf"],
)
def test_parts_of_models_are_recognized(name: str) -> None:
    assert is_part(name)


@pytest.mark.parametrize("name", ["flora-7b.gguf", "a-Q4_K_M.gguf", "explorer.gguf"])
def test_models_are_not_parts(name: str) -> None:
    assert not is_part(name)
