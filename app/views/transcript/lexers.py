"""The lexers of pygments, each loaded aside when its language is seen first: that takes up to a tenth of a second."""

from typing import Any

from PySide6.QtCore import QObject, Signal

from app.views.transcript.library_loading import Aside


class Lexers(QObject):
    """Lexers by the names that people give languages."""

    loaded = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._loaded: dict[str, Any] = {}
        self._loading: dict[str, Aside] = {}

    def get(self, language: str) -> Any:
        """Return the lexer, or None if there is none for `language`, or none yet: then `loaded` will tell."""
        if language in self._loaded:
            return self._loaded[language]
        if language not in self._loading:
            aside = Aside(lambda: self._load(language), self)
            aside.done.connect(lambda: self.loaded.emit(language))
            self._loading[language] = aside
            aside.start()
        return None

    def _load(self, language: str) -> None:
        self._loaded[language] = _lexer(language)


def _lexer(language: str) -> Any:
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415  not before there is code to colour
    from pygments.util import ClassNotFound  # noqa: PLC0415

    try:
        lexer = get_lexer_by_name(language.lower(), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    list(lexer.get_tokens_unprocessed("x"))  # compiles its expressions
    return lexer
