"""The text of a draft study: its description, its number of tokens, and why it cannot be used."""

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
_OWN_CORPUS = "All parts, unless you select some. Results are split by part."
_CHATS = (
    "in their visible form, rendered by the original's chat template. A copy stays on this Mac until the study is "
    "deleted; no report quotes it."
)
_WIKITEXT = "The text of llama.cpp's published perplexities. Read all of it for comparable figures."
_FILE = "Reads the start of your file. Nothing leaves your Mac."


class ChatCopies(Protocol):
    """The past chats of the window: a `PastChats`."""

    def count(self) -> ChatCount: ...
    def copy(self) -> str: ...


class CorpusCheck(QObject):
    """Without `questions`, texts are not checked; without `chats`, there are no past chats."""

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
        """The number of chats in each copy."""
        self._plan: StudyPlan | None = None
        self._checked: object = None
        self._reply: JobReply | None = None

    def count(self) -> ChatCount:
        """Return the number of usable chats."""
        return self._chats.count() if self._chats else ChatCount(0, 0)

    def copy_of_chats(self) -> str:
        """Return the path of a new copy of the chats; "" if there are none."""
        if self._chats is None:
            return ""
        copy = self._chats.copy()
        self._copied[copy] = self._chats.count()
        return copy

    def look(self, model: Path, plan: StudyPlan) -> None:
        """Check the text of `plan`, unless the same text is being checked or has been."""
        key = (model, plan.corpus, plan.convention, plan.limit_tokens, _stamp(plan.corpus.path))
        if key == self._checked:
            return
        self._checked, self._plan, self._reply = key, plan, None
        if self._questions and (plan.corpus.path or self._is_here(plan.corpus)):
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
        """True while the text is being checked."""
        corpus = self._corpus
        needs_check = bool(corpus.path) or self._is_here(corpus)
        return needs_check and self._questions is not None and self._reply is None

    @property
    def tokens(self) -> int:
        """The number of tokens, by the tokenizer of the original; 0 if unknown."""
        return self._reply.tokens if isinstance(self._reply, CorpusRead) else 0

    @property
    def problem(self) -> str:
        """The reason, as one or two sentences, why the text cannot be used; "" if none is known."""
        if isinstance(self._reply, RequestFailed):
            return self._reply.message
        name = self._corpus.dataset
        if name and network.is_offline() and not self._is_here(self._corpus):
            return (
                f"{name} hasn't been downloaded, and Facet is offline. Turn off Stay Offline in the File menu, or "
                "choose another text."
            )
        return ""

    @property
    def summary(self) -> str:
        """The description of the text."""
        corpus = self._corpus
        if corpus.dataset:
            summary = self._describe_dataset(corpus)
        elif corpus.path:
            summary = self._describe_chats(corpus.path) if corpus.private else _FILE
        else:
            return _OWN_CORPUS
        return f"Reading the text… {summary}" if self.is_reading else summary

    def close(self) -> None:
        """End the reading process."""
        if self._questions:
            self._questions.close()

    def _describe_chats(self, copy: str) -> str:
        count = self._copied.get(copy)
        return f"{count.summary if count else 'Your chats'} {_CHATS}"

    def _describe_dataset(self, corpus: CorpusSource) -> str:
        purpose = _WIKITEXT if corpus.dataset.partition("@")[0] == WIKITEXT else ""
        dataset = parse_dataset(corpus.dataset)
        source = dataset.repository.removeprefix("datasets/")
        if local := find_local(dataset, self._folders.datasets):
            return f"{purpose} Already on this Mac: {source} at revision {local[0].revision[:10]}.".strip()
        return f"{purpose} Downloads from the Hugging Face Hub when the study starts: {source}.".strip()

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

    def _on_reply(self, event: JobReply) -> None:
        self._reply = event
        self.changed.emit()


def _stamp(path: str) -> tuple[int, int]:
    """Return the size and the modification time of a file, which identify its content; zeros without a file."""
    try:
        status = Path(path).stat() if path else None
    except (OSError, ValueError):
        return 0, 0
    return (status.st_size, status.st_mtime_ns) if status else (0, 0)
