"""What is dragged onto the page of models: folders and GGUF files, or an address on the Hub."""

from pathlib import Path

from PySide6.QtGui import QDropEvent

from app.viewmodels.formatting.hub import repository_in


def is_welcome(event: QDropEvent) -> bool:
    """Tell whether something of it could be a model."""
    return bool(repository(event)) or any(path.is_dir() or path.suffix == ".gguf" for path in paths(event))


def repository(event: QDropEvent) -> str:
    """Return the repository to which a dragged address leads, "" if it leads to none."""
    files = event.mimeData()
    return repository_in(files.urls()[0].toString() if files.hasUrls() else files.text())


def paths(event: QDropEvent) -> list[Path]:
    """Return the files and folders on this machine."""
    return [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
