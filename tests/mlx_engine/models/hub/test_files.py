import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.errors import HubNotFound, UnsafeRepository, UnsupportedModel
from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.hub.files import check_names, is_safe, select


def files(*names: str) -> list[RemoteFile]:
    return [RemoteFile(name, 10, "0" * 64) for name in names]


def selected(*names: str, include: tuple[str, ...] = ()) -> set[str]:
    return {file.name for file in select(files(*names), include)}


def test_shards_are_selected_with_their_index() -> None:
    """Other precisions of the same weights, other frameworks and other formats are not."""
    needed = {
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "config.json",
        "tokenizer.model",
        "chat_template.jinja",
        "LICENSE.txt",
    }
    unneeded = (
        "model.fp16.safetensors",
        "consolidated.safetensors",
        "flax_model.msgpack",
        "a.gguf",
        "onnx/config.json",
    )
    assert selected(*needed, *unneeded) == needed


def test_weights_with_an_old_name_are_selected_if_there_are_no_others() -> None:
    """Early conversions call them weights.00.safetensors."""
    assert selected("config.json", "weights.00.safetensors") == {"config.json", "weights.00.safetensors"}


@pytest.mark.parametrize("name", ["a.bin", "a.PT", "sub/a.pth", "a.py", "a.pkl", "a.so", "run.sh"])
def test_pickles_and_code_are_not_selected_even_on_request(name: str) -> None:
    """Neither their name nor a pattern for all files selects them."""
    with pytest.raises(HubNotFound, match="never downloads"):
        select(files(name), [name])
    assert selected(name, "config.json", include=("*",)) == {"config.json"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("model.gguf",), "GGUF files"),
        (("pytorch_model.bin", "config.json"), "pickles"),
        (("config.json",), "no weights"),
        ((), "no weights"),
    ],
)
def test_an_unsupported_repository_is_refused_with_the_reason(names: tuple[str, ...], message: str) -> None:
    """Its list of files is sufficient."""
    with pytest.raises(UnsupportedModel, match=message):
        select(files(*names))


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/a", "a//b", "", ".", "..", "a/.", "a\\b", "..\\a", "a\0b", "a\nb", "\u202ea", "x" * 300],
)
def test_dangerous_names_are_not_safe(name: str) -> None:
    """They lead upward, are absolute or empty, have misleading characters, or are too long for a file system."""
    assert not is_safe(name)
    with pytest.raises(UnsafeRepository):
        select(files("model.safetensors", "config.json", name))


@given(st.lists(st.text("abcdefgh.-_ é漢", min_size=1, max_size=20), min_size=1, max_size=5))
def test_a_safe_name_stays_below_its_folder(parts: list[str]) -> None:
    """A safe name never has a part that leads upward or to the same folder."""
    name = "/".join(parts)
    assert is_safe(name) != any(part in (".", "..") for part in parts)


def test_a_name_cannot_be_both_a_file_and_a_folder() -> None:
    """One of the two would overwrite the other."""
    with pytest.raises(UnsafeRepository, match="both called 'a'"):
        check_names(["a", "a/b"])


@pytest.mark.parametrize("file", [RemoteFile("config.json", 1, "../../x"), RemoteFile("config.json", -1, "0" * 40)])
def test_an_invalid_listing_is_refused(file: RemoteFile) -> None:
    """The digest becomes a file name in the cache."""
    with pytest.raises(UnsafeRepository):
        select([*files("model.safetensors"), file])
