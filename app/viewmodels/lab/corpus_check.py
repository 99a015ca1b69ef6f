"""The text that a study is to be measured on: whether it can be, and what is said of it before anything begins."""

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.questions import Questions
from app.viewmodels.chat.past_chats import ChatCount
from mlx_engine import network
from mlx_engine.engine.values.job_messages import JobReply
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import CorpusRead, CorpusSource, ReadCorpus
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.models.hub.datasets import find_local, parse_dataset
from mlx_engine.protocol import RequestFailed, new_id

WIKITEXT = "wikitext-2"
_OWN = "All parts, unless some are chosen. Results are split by them."
_CHATS = (
    "as they are on the screen, in the words of the original's chat template. A copy stays on this computer until the "
    "study is deleted; no report quotes it."
)
_WIKITEXT = "The text on which llama.cpp's perplexities are published; all of it gives figures comparable to those."
_FILE = "The beginning of your file is read; nothing leaves this computer."


class ChatCopies(Protocol):
    """The past chats of the window: a `PastChats`."""

    def count(self) -> ChatCount: ...
    def copy(self) -> str: ...


class CorpusCheck(QObject):
    """Without `questions` no text is checked; without `chats` there are none."""

    changed = Signal()

    def __init__(
        self,
        folders: Folders,
        parent: QObject | None = None,
        *,
        questions: Questions | None = None,
        chats: ChatCopies | None = None,
    ) -> None:
        super().__init__(parent)
        self._folders, self._questions, self._chats = folders, questions, chats
        self._copied: dict[str, ChatCount] = {}
        """How many chats are in each copy."""
        self._plan: StudyPlan | None = None
        self._looked_at: object = None
        self._found: JobReply | None = None

    def count(self) -> ChatCount:
        """Return how many chats could be measured on."""
        return self._chats.count() if self._chats else ChatCount(0, 0)

    def copy_of_chats(self) -> str:
        """Return the path of a copy of the chats as they are now; "" if there is none."""
        if self._chats is None:
            return ""
        copy = self._chats.copy()
        self._copied[copy] = self._chats.count()
        return copy

    def look(self, model: Path, plan: StudyPlan) -> None:
        """Find out about the text of `plan`, unless that is being done, or is known."""
        wanted = (model, plan.corpus, plan.convention, plan.limit_tokens, _stamp(plan.corpus.path))
        if wanted == self._looked_at:
            return
        self._looked_at, self._plan, self._found = wanted, plan, None
        if self._questions and (plan.corpus.path or self._is_here(plan.corpus)):
            request = ReadCorpus(
                id=new_id(),
                model=str(model),
                corpus=plan.corpus,
                convention=plan.convention,
                limit_tokens=plan.limit_tokens,
            )
            self._questions.ask(request, self._take, latest_only=True)

    @property
    def is_reading(self) -> bool:
        """Whether nothing is known yet of a text that is looked at."""
        corpus = self._corpus
        is_looked_at = bool(corpus.path) or self._is_here(corpus)
        return is_looked_at and self._questions is not None and self._found is None

    @property
    def tokens(self) -> int:
        """How many tokens are read, by the tokenizer of the original; 0 as long as that is not known."""
        return self._found.tokens if isinstance(self._found, CorpusRead) else 0

    @property
    def problem(self) -> str:
        """What is wrong with the text, in a sentence or two; "" as long as nothing is known to be."""
        if isinstance(self._found, RequestFailed):
            return self._found.message
        name = self._corpus.dataset
        if name and network.is_offline() and not self._is_here(self._corpus):
            return (
                f"{name} is not on this computer yet, and Facet stays offline. Turn that off in the File menu, or "
                "choose another text."
            )
        return ""

    @property
    def words(self) -> str:
        """What is to be said of the text."""
        corpus = self._corpus
        if corpus.dataset:
            told = self._of_dataset(corpus)
        elif corpus.path:
            told = self._of_chats(corpus.path) if corpus.private else _FILE
        else:
            return _OWN
        return f"Reading the text… {told}" if self.is_reading else told

    def close(self) -> None:
        """End the process that reads."""
        if self._questions:
            self._questions.close()

    def _of_chats(self, copy: str) -> str:
        found = self._copied.get(copy)
        return f"{found.in_words if found else 'Your chats'} {_CHATS}"

    def _of_dataset(self, corpus: CorpusSource) -> str:
        what = _WIKITEXT if corpus.dataset.partition("@")[0] == WIKITEXT else ""
        wanted = parse_dataset(corpus.dataset)
        source = wanted.repository.removeprefix("datasets/")
        if found := find_local(wanted, self._folders.datasets):
            return f"{what} It is on this computer: {source} at revision {found[0].revision[:10]}.".strip()
        return f"{what} It is fetched from the Hugging Face Hub when the study begins: {source}.".strip()

    @property
    def _corpus(self) -> CorpusSource:
        return self._plan.corpus if self._plan else CorpusSource()

    def _is_here(self, corpus: CorpusSource) -> bool:
        try:
            return (
                bool(corpus.dataset) and find_local(parse_dataset(corpus.dataset), self._folders.datasets) is not None
            )
        except FacetError:
            return False

    def _take(self, event: JobReply) -> None:
        self._found = event
        self.changed.emit()


def _stamp(path: str) -> tuple[int, int]:
    """Return what tells one content of a file from another; that of none is nothing."""
    try:
        found = Path(path).stat() if path else None
    except (OSError, ValueError):
        return 0, 0
    return (found.st_size, found.st_mtime_ns) if found else (0, 0)
