import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.errors import HubNotFound, UnsafeRepository, UnsupportedModel
from mlx_engine.hub_messages import RemoteFile
from mlx_engine.models.hub.files import check_names, is_safe, select


def files(*names: str) -> list[RemoteFile]:
    return [RemoteFile(name, 10, "0" * 64) for name in names]


def chosen(*names: str, include: tuple[str, ...] = ()) -> set[str]:
    return {file.name for file in select(files(*names), include)}


def test_shards_come_with_their_index_and_nothing_twice() -> None:
    """Other precisions of the same weights, other frameworks and other formats stay where they are."""
    needed = {
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
        "config.json",
        "tokenizer.model",
        "chat_template.jinja",
        "LICENSE.txt",
    }
    others = ("model.fp16.safetensors", "consolidated.safetensors", "flax_model.msgpack", "a.gguf", "onnx/config.json")
    assert chosen(*needed, *others) == needed


def test_weights_of_an_old_name_are_taken_where_there_are_no_others() -> None:
    """Conversions of the first year call them weights.00.safetensors."""
    assert chosen("config.json", "weights.00.safetensors") == {"config.json", "weights.00.safetensors"}


@pytest.mark.parametrize("name", ["a.bin", "a.PT", "sub/a.pth", "a.py", "a.pkl", "a.so", "run.sh"])
def test_pickles_and_code_are_not_even_downloaded_on_demand(name: str) -> None:
    """Neither by their name nor by a pattern for all."""
    with pytest.raises(HubNotFound, match="never downloads"):
        select(files(name), [name])
    assert chosen(name, "config.json", include=("*",)) == {"config.json"}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("model.gguf",), "GGUF files"),
        (("pytorch_model.bin", "config.json"), "pickles"),
        (("config.json",), "no weights"),
        ((), "no weights"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(names: tuple[str, ...], words: str) -> None:
    """Before anything is downloaded."""
    with pytest.raises(UnsupportedModel, match=words):
        select(files(*names))


@pytest.mark.parametrize(
    "name",
    ["../a", "a/../../b", "/a", "a//b", "", ".", "..", "a/.", "a\\b", "..\\a", "a\0b", "a\nb", "\u202ea", "x" * 300],
)
def test_names_that_lead_astray_are_not_safe(name: str) -> None:
    """Upwards, absolute, empty, with characters that hide something, or longer than a file system takes."""
    assert not is_safe(name)
    with pytest.raises(UnsafeRepository):
        select(files("model.safetensors", "config.json", name))


@given(st.lists(st.text("abcdefgh.-_ é漢", min_size=1, max_size=20), min_size=1, max_size=5))
def test_a_safe_name_stays_below_its_folder(parts: list[str]) -> None:
    """Whatever is allowed never has a part that goes up or nowhere."""
    name = "/".join(parts)
    assert is_safe(name) != any(part in (".", "..") for part in parts)


def test_a_file_cannot_be_a_folder_too() -> None:
    """One of the two would be written through the other."""
    with pytest.raises(UnsafeRepository, match="both called 'a'"):
        check_names(["a", "a/b"])


@pytest.mark.parametrize("file", [RemoteFile("config.json", 1, "../../x"), RemoteFile("config.json", -1, "0" * 40)])
def test_a_listing_that_cannot_be_right_is_refused(file: RemoteFile) -> None:
    """The digest becomes a file name in the cache."""
    with pytest.raises(UnsafeRepository):
        select([*files("model.safetensors"), file])
