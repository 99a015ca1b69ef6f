"""The settings on disk."""

import os
from pathlib import Path

import msgspec
import pytest

from app.domain.settings import Settings
from app.domain.settings_file import SettingsFile
from mlx_engine.errors import StorageError
from mlx_engine.sampling import Sampling


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "settings.json"


def write(path: Path, content: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else msgspec.json.encode(content))


def test_a_missing_file_gives_the_defaults(path: Path) -> None:
    """The first start needs no file and writes none."""
    file = SettingsFile(path)
    assert (file.settings, file.notice) == (Settings(), "")
    assert not path.exists()


def test_saved_values_are_read_again(path: Path) -> None:
    """Every kind of value survives a restart."""
    settings = Settings(
        appearance="dark", text_size=150, system_prompt="Be brief. 🙂", sampling=Sampling(seed=7, stop=("END",))
    )
    SettingsFile(path).save(settings)
    assert SettingsFile(path).settings == settings
    assert [one.name for one in path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("content", [b"{ half", b"[1, 2]", b"\xff\xfe", b""], ids=["cut", "list", "binary", "empty"])
def test_a_broken_file_is_put_aside_and_told(path: Path, content: bytes) -> None:
    """Nothing is thrown away, and the app starts."""
    write(path, content)
    file = SettingsFile(path)
    assert file.settings == Settings()
    assert "settings.damaged.json" in file.notice
    assert path.with_name("settings.damaged.json").read_bytes() == content


def test_an_illegal_value_alone_falls_back(path: Path) -> None:
    """One value out of range does not cost the others."""
    write(path, {"version": 1, "text_size": 900, "appearance": "dark", "sampling": {"temperature": 9, "top_k": 5}})
    file = SettingsFile(path)
    assert file.settings == Settings(appearance="dark", sampling=Sampling(top_k=5))
    assert "its default is used" in file.notice


def test_what_a_newer_version_wrote_is_kept(path: Path) -> None:
    """Going back to an older Facet and forward again loses nothing."""
    write(path, {"version": 9, "hologram": True, "sampling": {"warp": 3}, "text_size": 120})
    file = SettingsFile(path)
    file.save(msgspec.structs.replace(file.settings, text_size=130))
    found = msgspec.json.decode(path.read_bytes())
    assert (found["version"], found["hologram"], found["sampling"]["warp"], found["text_size"]) == (9, True, 3, 130)


def test_a_file_that_cannot_be_written_is_told_and_stays_whole(tmp_path: Path) -> None:
    """A folder where the file should be is refused with a sentence, without leaving scraps."""
    path = tmp_path / "settings.json"
    file = SettingsFile(path)
    (path / "occupied").mkdir(parents=True)
    with pytest.raises(StorageError, match="cannot be written"):
        file.save(Settings(text_size=90))
    assert os.listdir(tmp_path) == ["settings.json"]  # noqa: PTH208 - names are enough
    with pytest.raises(StorageError, match="cannot be read"):
        SettingsFile(path)
