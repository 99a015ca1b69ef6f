"""Checks the text of a draft study with the original's tokenizer, and describes it."""

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
_BUILTIN = "Results are split by part."
_CHATS = (
    "formatted with the original's chat template. A copy stays on this Mac until the study is deleted; reports never "
    "quote it."
)
_WIKITEXT = "The text of llama.cpp's published perplexities. With all tokens, the results are comparable to those."
_FILE = "Your file is read from its start. It never leaves this Mac."


class ChatCopies(Protocol):
    """Copies of past chats; implemented by `PastChats`."""

    def count(self) -> ChatCount: ...
    def copy(self) -> str: ...


class CorpusCheck(QObject):
    """Checks texts by `questions` to a job process; without them, no text is checked."""

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
        self._copies: dict[str, ChatCount] = {}
        """Number of chats by the path of their copy."""
        self._plan: StudyPlan | None = None
        self._checked: object = None
        self._reply: JobReply | None = None

    def chat_count(self) -> ChatCount:
        """Return the number of usable past chats."""
        return self._chats.count() if self._chats else ChatCount(0, 0)

    def copy_chats(self) -> str:
        """Return the path of a new copy of the past chats, "" if it could not be made."""
        if self._chats is None:
            return ""
        copy = self._chats.copy()
        self._copies[copy] = self._chats.count()
        return copy

    def check(self, model: Path, plan: StudyPlan) -> None:
        """Check the text of `plan`, unless that was done already."""
        key = (model, plan.corpus, plan.convention, plan.limit_tokens, _stamp(plan.corpus.path))
        if key == self._checked:
            return
        self._checked, self._plan, self._reply = key, plan, None
        if self._questions and (plan.corpus.path or self._is_downloaded(plan.corpus)):
            request = ReadCorpus(
                id=new_id(),
                model=str(model),
                corpus=plan.corpus,
                convention=plan.convention,
                limit_tokens=plan.limit_tokens,
            )
            self._questions.ask(request, self._on_reply, latest_only=True)

    @property
    def is_reading(self) -> bool:
        """True while a text is being checked."""
        corpus = self._corpus
        can_check = bool(corpus.path) or self._is_downloaded(corpus)
        return can_check and self._questions is not None and self._reply is None

    @property
    def tokens(self) -> int:
        """Number of tokens that are read, 0 if it is not known yet."""
        return self._reply.tokens if isinstance(self._reply, CorpusRead) else 0

    @property
    def problem(self) -> str:
        """A problem with the text, "" if none is known."""
        if isinstance(self._reply, RequestFailed):
            return self._reply.message
        name = self._corpus.dataset
        if name and network.is_offline() and not self._is_downloaded(self._corpus):
            return (
                f"{name} is not on this Mac yet, and Facet is offline. Turn off File > Stay Offline, or choose another "
                "text."
            )
        return ""

    @property
    def description(self) -> str:
        """A description of the text."""
        corpus = self._corpus
        if corpus.dataset:
            text = self._describe_dataset(corpus)
        elif corpus.path:
            text = self._describe_chats(corpus.path) if corpus.private else _FILE
        else:
            return _BUILTIN
        return f"Reading the text… {text}" if self.is_reading else text

    def close(self) -> None:
        """End the process that reads texts."""
        if self._questions:
            self._questions.close()

    def _describe_chats(self, copy: str) -> str:
        count = self._copies.get(copy)
        return f"{count.summary if count else 'Your chats'}, {_CHATS}"

    def _describe_dataset(self, corpus: CorpusSource) -> str:
        purpose = _WIKITEXT if corpus.dataset.partition("@")[0] == WIKITEXT else ""
        dataset = parse_dataset(corpus.dataset)
        source = dataset.repository.removeprefix("datasets/")
        if local := find_local(dataset, self._folders.datasets):
            return f"{purpose} Downloaded from {source} at revision {local[0].revision[:10]}.".strip()
        return f"{purpose} It is downloaded from {source} on the Hugging Face Hub when the study starts.".strip()

    @property
    def _corpus(self) -> CorpusSource:
        return self._plan.corpus if self._plan else CorpusSource()

    def _is_downloaded(self, corpus: CorpusSource) -> bool:
        try:
            return (
                bool(corpus.dataset) and find_local(parse_dataset(corpus.dataset), self._folders.datasets) is not None
            )
        except FacetError:
            return False

    def _on_reply(self, event: JobReply) -> None:
        self._reply = event
        self.changed.emit()


def _stamp(path: str) -> tuple[int, int]:
    """Return size and modification time of a file, to detect changes."""
    try:
        status = Path(path).stat() if path else None
    except (OSError, ValueError):
        return 0, 0
    return (status.st_size, status.st_mtime_ns) if status else (0, 0)
