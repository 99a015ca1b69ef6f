"""The dialog for exporting chats."""

import re
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.viewmodels.chat.past_chats import ExportFormat, PastChats
from app.views.kit.save_file import confirm_and_save

_FORMATS: dict[str, ExportFormat] = {"JSON lines (*.jsonl)": "jsonl", "Markdown (*.md)": "md"}


def export(parent: QWidget, chats: PastChats, title: str, conversation: str = "") -> None:
    """Ask for a file and export one conversation to it, or all for ""; `title` is the suggested name."""
    name = re.sub(r"[^\w -]+", "", title).strip()[:60] or "Chats"
    path, kind = QFileDialog.getSaveFileName(parent, "Export", f"{name}.jsonl", ";;".join(_FORMATS))
    if path:
        file, form = _with_suffix(Path(path), _FORMATS.get(kind, "jsonl"))
        confirm_and_save(parent, path, file, lambda file: chats.export(file, form, conversation))


def _with_suffix(file: Path, form: ExportFormat) -> tuple[Path, ExportFormat]:
    """Return the file with a suffix, and its format. A suffix that the user typed wins over the chosen format."""
    typed = next((suffix for suffix in _FORMATS.values() if file.suffix.lower() == f".{suffix}"), None)
    return (file, typed) if typed else (file.with_name(f"{file.name}.{form}"), form)
