"""Deleting texts that the user pasted in."""

from pathlib import Path

import pytest

from mlx_engine.folders import Folders
from mlx_engine.measure.results.pasted_text import delete_pasted_texts, pasted_text_folders
from mlx_engine.measure.results.results import PASTED_TEXT


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path, logs=tmp_path)


def _file(folder: Path, name: str, content: str) -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_text(content)
    return folder


def test_only_pasted_texts_are_deleted(folders: Folders) -> None:
    """References and results of other texts stay."""
    references, results = folders.references, folders.measurements / "fidelity"
    source = f'{{"corpus": "{PASTED_TEXT}"}}'
    pasted = {_file(references / "a", "corpus.json", source), _file(results / "a" / "c", "result.json", source)}
    other = {
        _file(references / "b", "corpus.json", '{"corpus": "facet", "format": 1}'),
        _file(results / "b" / "c", "result.json", '{"corpus": "facet"}'),
    }
    assert set(pasted_text_folders(folders)) == pasted
    delete_pasted_texts(folders)
    assert {folder for folder in pasted | other if folder.exists()} == other


@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, '{"corpus": 3}'])
def test_damaged_folders_are_deleted_too(folders: Folders, content: str) -> None:
    """They are useless and may contain a pasted text."""
    _file(folders.references / "a", "corpus.json", content)
    delete_pasted_texts(folders)
    assert not list(folders.references.iterdir())


def test_leftovers_of_a_killed_process_are_deleted(folders: Folders) -> None:
    """It writes the tokens before the result."""
    _file(folders.measurements / "fidelity" / "a" / "c", "tokens.json", "the text")
    delete_pasted_texts(folders)
    assert not list(folders.measurements.glob("fidelity/*/*"))


def test_a_link_is_not_followed(folders: Folders, tmp_path: Path) -> None:
    """Its target may be anything."""
    elsewhere = _file(tmp_path / "elsewhere", "notes.txt", "a note")
    folders.references.mkdir()
    (folders.references / "link").symlink_to(elsewhere)
    delete_pasted_texts(folders)
    assert (elsewhere / "notes.txt").exists()
