"""Pygments lexers, each loaded in a thread at first use: loading takes up to a tenth of a second."""

from typing import Any

from PySide6.QtCore import QObject, Signal

from app.views.transcript.library_loader import LibraryLoader


class Lexers(QObject):
    """Lexers by language name, as written after a code fence."""

    loaded = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._loaded: dict[str, Any] = {}
        self._loading: dict[str, LibraryLoader] = {}

    def get(self, language: str) -> Any:
        """Return the lexer, or None if there is none for `language` or it is still loading; `loaded` follows then."""
        if language in self._loaded:
            return self._loaded[language]
        if language not in self._loading:
            loader = LibraryLoader(lambda: self._load(language), self)
            loader.done.connect(lambda: self.loaded.emit(language))
            self._loading[language] = loader
            loader.start()
        return None

    def _load(self, language: str) -> None:
        self._loaded[language] = _lexer(language)


def _lexer(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415  needed only once there is code
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        lexer = get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    list(lexer.get_tokens_unprocessed("x"))  # compiles its regular expressions
    return lexer
