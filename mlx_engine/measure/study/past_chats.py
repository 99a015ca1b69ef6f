"""Copies of past chats to measure on, and what is kept of private texts. It knows no database and no window.

A study reads the copy that was made when it was put together, however the chats go on. Copies, what originals have
answered to them and what was measured on them go with the last study that needs them.
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
    """Write a copy below `root`, a conversation a line; the same chats are the same file.

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
    """Remove what is kept of private texts and is needed by none of the studies, which are all that there are.

    Raises:
        StorageError: it cannot be removed.
    """
    for folder in list(_unused(folders, list(studies))):
        with storage_errors(folder):
            shutil.rmtree(folder)


def _unused(folders: Folders, studies: list[Study]) -> Iterator[Path]:
    texts = {study.plan.corpus.path for study in studies}
    answers = {Path(study.reference_folder).name for study in studies if study.reference_folder}
    yield from (copy for copy in folders.chats.glob("*") if str(copy / FILE_NAME) not in texts)
    for kept in stored_references(folders.references):
        choice = kept.header.choice if kept.header else None
        if choice and choice.private and kept.folder.name not in answers and choice.path not in texts:
            yield kept.folder
    for result in all_fidelity(folders.measurements):
        if result.private and result.reference_key not in answers:
            yield fidelity_folder(result, folders.measurements)
