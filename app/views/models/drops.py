"""Reads drops onto the Models page: folders, GGUF files, or the URL of a model on the Hub."""

from pathlib import Path

from PySide6.QtGui import QDropEvent

from app.viewmodels.formatting.hub import repository_from_url
from app.viewmodels.library.imports import may_be_model


def is_accepted(event: QDropEvent) -> bool:
    """Return True if the drop contains a possible model."""
    return bool(repository(event)) or any(may_be_model(path) for path in paths(event))


def repository(event: QDropEvent) -> str:
    """Return the repository of a dropped URL, or ""."""
    data = event.mimeData()
    return repository_from_url(data.urls()[0].toString() if data.hasUrls() else data.text())


def paths(event: QDropEvent) -> list[Path]:
    """Return the dropped local files and folders."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
