"""GGUF models in one file or several."""

from pathlib import Path

import pytest

from mlx_engine.errors import BrokenModel
from mlx_engine.models.description.describe import describe
from mlx_engine.models.gguf.files import existing_files, is_gguf, model_name, read_model, sole_model
from mlx_engine.models.library.library import scan
from mlx_engine.models.library.locations import Root
from mlx_engine.quantize.mlx.gguf_file import read_file
from tests.gguf_files import GGUFFile, import_file, tiny_model


def _weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()


@pytest.mark.parametrize("number", [0, 2])
@pytest.mark.parametrize("suffix", [".gguf", ".GGUF"])
def test_the_parts_of_a_model_are_imported_as_one(number: int, suffix: str, tmp_path: Path) -> None:
    """Whichever of them is chosen; the result is that of the same model in one file."""
    file = tiny_model("llama", "Q8_0")
    parts = file.write_parts(tmp_path, "whale", count=3, suffix=suffix)
    whole = import_file(file.write(tmp_path / "one.gguf"), tmp_path / "one")
    assert _weights(import_file(parts[number], tmp_path / "parts")) == _weights(whole)


def test_the_parts_of_a_model_are_converted_as_one(tmp_path: Path) -> None:
    """Every matrix is read from the file that has it."""
    file = tiny_model("llama", "Q4_0")
    parts, whole = file.write_parts(tmp_path, "whale", count=4), file.write(tmp_path / "one.gguf")
    contents = [read_file(path) for path in (parts[0], whole)]
    first, second = (
        {name: matrix.rows(0, matrix.shape[0]).tobytes() for name, matrix in content.matrices.items()}
        for content in contents
    )
    for content in contents:
        content.tensors.close()
    assert first == second


def test_the_parts_of_a_model_are_one_row_of_the_library(tmp_path: Path) -> None:
    """Its name has no number of a part, and its size is that of all files."""
    parts = tiny_model().write_parts(tmp_path, "whale-Q4_0", count=3)
    (row,) = scan([Root("added", tmp_path)], tmp_path / "library.json").rows
    assert (row.name, row.size_bytes) == ("whale-Q4_0", sum(part.stat().st_size for part in parts))
    assert describe(parts[0], "a/whale").can_be_imported


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    parts = tiny_model().write_parts(tmp_path, "whale", count=3)
    parts[1].unlink()
    with pytest.raises(BrokenModel, match=r"1 of 3 files are missing, first whale-00002-of-00003\.gguf"):
        read_model(parts[0])


def test_a_renamed_part_says_what_to_do(tmp_path: Path) -> None:
    part = tiny_model().write_parts(tmp_path, "whale", count=2)[0]
    with pytest.raises(BrokenModel, match=r"one of 2 parts of a model\. Put all parts into one folder"):
        read_model(part.rename(tmp_path / "whale.gguf"))


def test_parts_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    first, second = tiny_model().write_parts(tmp_path, "whale", count=2)
    first.rename(tmp_path / "kept")
    second.rename(first)
    (tmp_path / "kept").rename(second)
    with pytest.raises(BrokenModel, match=r"is not part 1, but contains split\.no 1"):
        read_model(first)


def test_a_tensor_in_two_parts_is_refused(tmp_path: Path) -> None:
    file = tiny_model()
    first, second = file.write_parts(tmp_path, "whale", count=2)
    GGUFFile({"split.no": 1, "split.count": 2}, dict(file.tensors)).write(second)
    with pytest.raises(BrokenModel, match="contain a tensor twice"):
        read_model(first)


def test_parts_without_all_tensors_are_refused(tmp_path: Path) -> None:
    file = tiny_model()
    first, second = file.write_parts(tmp_path, "whale", count=2)
    GGUFFile({"split.no": 1, "split.count": 2}, {}).write(second)
    with pytest.raises(BrokenModel, match=rf"tensors instead of {len(file.tensors)}"):
        read_model(first)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.gguf", "a"),
        ("A.GGUF", "A"),
        ("b-00001-of-00002.gguf", "b"),
        ("c-00001-of-00002.Gguf", "c"),
        ("d.1.gguf", "d.1"),
    ],
)
def test_a_name_has_no_suffix_and_no_number_of_a_part(name: str, expected: str) -> None:
    assert is_gguf(Path(name))
    assert model_name(Path(name)) == expected


def test_the_only_model_of_a_folder_can_have_parts_and_side_files(tmp_path: Path) -> None:
    parts = tiny_model().write_parts(tmp_path, "whale", count=2)
    (tmp_path / "mmproj-whale.gguf").write_bytes(b"GGUF")
    (tmp_path / "._whale-00001-of-00002.gguf").write_bytes(b"")
    assert sole_model(tmp_path) == parts[0]
    assert existing_files(parts[1]) == parts
    tiny_model().write(tmp_path / "other.gguf")
    assert sole_model(tmp_path) is None
