"""Copies of past chats for studies, and the deletion of private data. Independent of the database and the window.

A study reads the copy from when it was set up, regardless of later messages. Copies, their references and their
results are deleted with the last study that needs them.
"""

import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from mlx_engine.folders import Folders
from mlx_engine.measure.results.references import stored_references
from mlx_engine.measure.results.results import all_fidelity, fidelity_folder
from mlx_engine.measure.study.study import Study
from mlx_engine.models.files.staging import storage_errors, write_whole

FILE_NAME = "Past chats.jsonl"


def save_copy(lines: Iterable[bytes], root: Path) -> Path:
    """Write a copy below `root`, one conversation per line; the same chats give the same file.

    Raises:
        StorageError: it cannot be written.
    """
    content = b"".join(line + b"\n" for line in lines)
    file = root / hashlib.sha256(content).hexdigest()[:16] / FILE_NAME
    with storage_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)
        for private in (root, file.parent):
            private.chmod(0o700)
    return file


def delete_unused(folders: Folders, studies: Iterable[Study]) -> None:
    """Delete the data of private texts that no study needs; `studies` are all studies.

    Raises:
        StorageError: it cannot be deleted.
    """
    for folder in list(_unused(folders, list(studies))):
        with storage_errors(folder):
            shutil.rmtree(folder)


def _unused(folders: Folders, studies: list[Study]) -> Iterator[Path]:
    texts = {study.plan.corpus.path for study in studies}
    needed = {Path(study.reference_folder).name for study in studies if study.reference_folder}
    yield from (copy for copy in folders.chats.glob("*") if str(copy / FILE_NAME) not in texts)
    for reference in stored_references(folders.references):
        choice = reference.header.source if reference.header else None
        if choice and choice.private and reference.folder.name not in needed and choice.path not in texts:
            yield reference.folder
    for result in all_fidelity(folders.measurements):
        if result.private and result.reference_key not in needed:
            yield fidelity_folder(result, folders.measurements)
