"""Behaviour of forgetting texts that somebody typed in."""

from pathlib import Path

import pytest

from mlx_engine.folders import Folders
from mlx_engine.measure.results.pasted_text import delete_pasted_texts, pasted_text_folders
from mlx_engine.measure.results.results import PASTED_TEXT


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path, logs=tmp_path)


def _kept(folder: Path, name: str, content: str) -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_text(content)
    return folder


def test_a_typed_text_is_forgotten_and_nothing_else(folders: Folders) -> None:
    """Neither answers nor results on other texts go."""
    answers, results = folders.references, folders.measurements / "fidelity"
    said = f'{{"corpus": "{PASTED_TEXT}"}}'
    mine = {_kept(answers / "a", "reading.json", said), _kept(results / "a" / "c", "result.json", said)}
    other = {
        _kept(answers / "b", "reading.json", '{"corpus": "facet", "format": 1}'),
        _kept(results / "b" / "c", "result.json", '{"corpus": "facet"}'),
    }
    assert set(pasted_text_folders(folders)) == mine
    delete_pasted_texts(folders)
    assert {folder for folder in mine | other if folder.exists()} == other


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, '{"corpus": 3}'])
def test_what_is_too_damaged_to_tell_is_forgotten_too(folders: Folders, content: str) -> None:
    """It is of no use, and a text may stand in it."""
    _kept(folders.references / "a", "reading.json", content)
    delete_pasted_texts(folders)
    assert not list(folders.references.iterdir())


def test_what_a_killed_process_left_of_a_text_is_forgotten(folders: Folders) -> None:
    """The tokens are written before the result."""
    _kept(folders.measurements / "fidelity" / "a" / "c", "tokens.json", "the text")
    delete_pasted_texts(folders)
    assert not list(folders.measurements.glob("fidelity/*/*"))


def test_a_link_is_not_followed(folders: Folders, tmp_path: Path) -> None:
    """What it points at may be anything."""
    elsewhere = _kept(tmp_path / "elsewhere", "notes.txt", "mine")
    folders.references.mkdir()
    (folders.references / "link").symlink_to(elsewhere)
    delete_pasted_texts(folders)
    assert (elsewhere / "notes.txt").exists()
