"""Tests of the settings file."""

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
    """The first start neither needs nor writes a file."""
    file = SettingsFile(path)
    assert (file.settings, file.notice) == (Settings(), "")
    assert not path.exists()


def test_saved_values_are_read_again(path: Path) -> None:
    """All kinds of values survive a restart."""
    settings = Settings(
        appearance="dark", text_size=150, system_prompt="Be brief. 🙂", sampling=Sampling(seed=7, stop=("END",))
    )
    SettingsFile(path).save(settings)
    assert SettingsFile(path).settings == settings
    assert [file.name for file in path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("content", [b"{ half", b"[1, 2]", b"\xff\xfe", b""], ids=["cut", "list", "binary", "empty"])
def test_an_invalid_file_is_moved_aside(path: Path, content: bytes) -> None:
    """The file is kept, the app starts, and the notice has the new name."""
    write(path, content)
    file = SettingsFile(path)
    assert file.settings == Settings()
    assert "settings.damaged.json" in file.notice
    assert path.with_name("settings.damaged.json").read_bytes() == content


def test_only_the_invalid_value_falls_back(path: Path) -> None:
    """The other values are kept."""
    write(path, {"version": 1, "text_size": 900, "appearance": "dark", "sampling": {"temperature": 9, "top_k": 5}})
    file = SettingsFile(path)
    assert file.settings == Settings(appearance="dark", sampling=Sampling(top_k=5))
    assert "the default is used" in file.notice


def test_fields_of_newer_versions_are_preserved(path: Path) -> None:
    """A downgrade followed by an upgrade loses nothing."""
    write(path, {"version": 9, "hologram": True, "sampling": {"warp": 3}, "text_size": 120})
    file = SettingsFile(path)
    file.save(msgspec.structs.replace(file.settings, text_size=130))
    content = msgspec.json.decode(path.read_bytes())
    assert (content["version"], content["hologram"], content["sampling"]["warp"], content["text_size"]) == (
        9,
        True,
        3,
        130,
    )


def test_an_unwritable_file_raises_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    """A folder in place of the file is an error when writing and reading."""
    path = tmp_path / "settings.json"
    file = SettingsFile(path)
    (path / "occupied").mkdir(parents=True)
    with pytest.raises(StorageError, match="Couldn't save"):
        file.save(Settings(text_size=90))
    assert os.listdir(tmp_path) == ["settings.json"]  # noqa: PTH208 - names are enough
    with pytest.raises(StorageError, match="Couldn't read"):
        SettingsFile(path)
