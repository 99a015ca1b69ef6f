import contextlib
import struct
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mlx_engine.errors import BrokenModel, FacetError, ModelNotFound, UnsupportedModel
from mlx_engine.models.gguf.header import read_header
from tests.gguf_files import GGUFFile, Tensor, text, tiny_model

WHOLE = tiny_model().encoded()


def header_of(content: bytes, folder: Path) -> object:
    path = folder / "model.gguf"
    path.write_bytes(content)
    return read_header(path)


def test_all_metadata_and_tensor_offsets_are_read(tmp_path: Path) -> None:
    """Metadata of all types round-trips, and each tensor's offset leads to its bytes."""
    written = tiny_model(kind="Q8_0")
    written.metadata |= {"a.flag": True, "an.array": [1, 2, 3], "a.name": "naïve 名", "an.empty_array": []}
    path = written.write(tmp_path / "model.gguf")

    header = read_header(path)

    assert header.metadata.keys() == written.metadata.keys()
    for key, value in written.metadata.items():
        read = header.metadata[key]
        if isinstance(value, float):
            assert read == pytest.approx(value, rel=1e-7)
        else:
            assert (list(read) if isinstance(value, list) else read) == value
    content = path.read_bytes()
    for tensor in header.tensors:
        original = written.tensors[tensor.name]
        assert (tensor.type, tensor.shape) == (original.type, original.shape)
        assert content[tensor.offset : tensor.offset + tensor.size_bytes] == original.data


def test_the_error_names_a_missing_file(tmp_path: Path) -> None:
    """A path that does not exist raises `ModelNotFound`."""
    with pytest.raises(ModelNotFound, match=r"absent\.gguf"):
        read_header(tmp_path / "absent.gguf")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", BrokenModel, "not a GGUF file"),
        (b"GGUF", BrokenModel, "not a GGUF file"),
        (b"PK\x03\x04" + WHOLE[4:], BrokenModel, "not a GGUF file"),
        (b"GGUF" + struct.pack("<I", 1) + WHOLE[8:], UnsupportedModel, "version 1"),
        (b"GGUF" + struct.pack(">I", 3) + WHOLE[8:], UnsupportedModel, "big-endian"),
        (b"GGUF" + struct.pack("<IQQ", 3, 2**63, 1) + WHOLE[24:], BrokenModel, "claims to contain"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 2**64 - 1) + WHOLE[24:], BrokenModel, "claims to contain"),
        (WHOLE[:24] + struct.pack("<Q", 2**64 - 1) + WHOLE[32:], BrokenModel, "claims to be longer"),
        (WHOLE[:200], BrokenModel, "truncated"),
        (WHOLE[:-32], BrokenModel, "ends before the end of its tensor"),
    ],
)
def test_a_damaged_file_is_refused_with_the_reason(
    content: bytes, error: type[FacetError], message: str, tmp_path: Path
) -> None:
    """The error describes the damage, and nothing huge is allocated."""
    with pytest.raises(error, match=message):
        header_of(content, tmp_path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (struct.pack("<IIQ", 9, 4, 2**60), "claims to be longer"),
        (struct.pack("<IIQ", 9, 8, 2**61), "claims to be longer"),
        (struct.pack("<IIQIQ", 9, 9, 1, 4, 1), "nested"),
        (struct.pack("<I", 77), "unknown"),
        (struct.pack("<IB", 7, 2), "true or false"),
        (struct.pack("<IQ", 8, 2) + b"\xff\xfe", "UTF-8"),
    ],
)
def test_a_damaged_value_is_refused_with_the_reason(value: bytes, message: str, tmp_path: Path) -> None:
    """The error names arrays longer than the file, unknown types and invalid text."""
    content = b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text("key") + value
    with pytest.raises(BrokenModel, match=message):
        header_of(content, tmp_path)


def test_a_duplicate_name_is_refused(tmp_path: Path) -> None:
    """Two fields or two tensors with the same name contradict each other."""
    entry = text("key") + struct.pack("<II", 4, 1)
    with pytest.raises(BrokenModel, match="'key' twice"):
        header_of(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + 2 * entry, tmp_path)
    tensor = text("w") + struct.pack("<IQIQ", 1, 8, 0, 0)
    with pytest.raises(BrokenModel, match="'w' twice"):
        header_of(b"GGUF" + struct.pack("<IQQ", 3, 2, 0) + 2 * tensor + bytes(64), tmp_path)


@pytest.mark.parametrize(
    ("description", "error", "message"),
    [
        (struct.pack("<IQIQ", 1, 8, 0, 2**63), BrokenModel, "ends before"),
        (struct.pack("<IQIQ", 1, 2**63, 0, 0), BrokenModel, "ends before"),
        (struct.pack("<IQIQ", 1, 8, 0, 4), BrokenModel, "misaligned"),
        (struct.pack("<IQIQ", 1, 8, 2, 0), BrokenModel, "shape"),
        (struct.pack("<IQIQ", 1, 0, 0, 0), BrokenModel, "shape"),
        (struct.pack("<IQIQ", 1, 8, 999, 0), UnsupportedModel, "number 999"),
        (struct.pack("<I", 0), BrokenModel, "0 dimensions"),
        (struct.pack("<I", 2**32 - 1), BrokenModel, "dimensions"),
    ],
)
def test_an_impossible_tensor_is_refused(
    description: bytes, error: type[FacetError], message: str, tmp_path: Path
) -> None:
    """The error names offsets outside the file, sizes that overflow 64 bits, and unknown types."""
    content = b"GGUF" + struct.pack("<IQQ", 3, 1, 0) + text("w") + description + bytes(64)
    with pytest.raises(error, match=message):
        header_of(content, tmp_path)


@pytest.mark.parametrize("alignment", [0, 1, 24, 2**31])
def test_an_invalid_alignment_is_refused(alignment: int, tmp_path: Path) -> None:
    """The alignment must be a power of two of a sensible size."""
    written = GGUFFile({"general.alignment": alignment}, {"w": Tensor("F32", (8,), bytes(32))})
    with pytest.raises(BrokenModel, match="alignment"):
        header_of(written.encoded(), tmp_path)


@settings(max_examples=300, deadline=2000)
@example(damages=[], keep=1.0)
@given(
    damages=st.lists(st.tuples(st.integers(0, 6000), st.sampled_from([0, 1, 9, 127, 128, 255])), max_size=8),
    keep=st.floats(0, 1),
)
def test_random_damage_never_yields_a_tensor_outside_the_file(
    damages: list[tuple[int, int]], keep: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """After any change or truncation, the reader returns a consistent header or raises a `FacetError`."""
    content = bytearray(WHOLE[: int(keep * len(WHOLE))])
    for position, byte in damages:
        content[position : position + 1] = [byte]
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(content)
    with contextlib.suppress(FacetError):
        assert all(tensor.offset + tensor.size_bytes <= len(content) for tensor in read_header(path).tensors)
