"""Asks where chats are to be written."""

import re
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from app.viewmodels.chat.past_chats import Form, PastChats
from app.views.kit.save_file import confirm_and_save

_FORMS: dict[str, Form] = {"JSON lines (*.jsonl)": "jsonl", "Markdown (*.md)": "md"}


def export(parent: QWidget, chats: PastChats, title: str, conversation: str = "") -> None:
    """Write the conversation of that id, or all of them, where the person says; `title` suggests a name."""
    name = re.sub(r"[^\w -]+", "", title).strip()[:60] or "Chats"
    chosen, kind = QFileDialog.getSaveFileName(parent, "Export", f"{name}.jsonl", ";;".join(_FORMS))
    if chosen:
        file, form = _with_suffix(Path(chosen), _FORMS.get(kind, "jsonl"))
        confirm_and_save(parent, chosen, file, lambda file: chats.export(file, form, conversation))


def _with_suffix(file: Path, form: Form) -> tuple[Path, Form]:
    """Let an ending that was typed say what is written; without one, it is added."""
    typed = next((one for one in _FORMS.values() if file.suffix.lower() == f".{one}"), None)
    return (file, typed) if typed else (file.with_name(f"{file.name}.{form}"), form)
