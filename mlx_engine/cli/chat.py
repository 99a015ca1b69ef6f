"""`facet chat`: answers in the terminal, to one prompt or in a conversation."""

import sys
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.cli.prepare import prepared_starter
from mlx_engine.cli.roots import roots
from mlx_engine.cli.sampling_options import SamplingOptions
from mlx_engine.cli.session import Session
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.answer import AnswerView, JsonView, TextView
from mlx_engine.cli.views.failure import INTERRUPTED, UsageError, report
from mlx_engine.cli.views.memory import asked_on_terminal, require_room
from mlx_engine.errors import FacetError, UnsupportedModel
from mlx_engine.folders import Folders
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.recommendation import NAMES, recommended, with_recommended
from mlx_engine.models.library import library
from mlx_engine.models.memory.machine import this_machine
from mlx_engine.protocol import CacheBits, ChatMessage, Delta, Finished, FinishReason
from mlx_engine.sampling import Sampling


def chat(  # noqa: PLR0913 - one for each option
    model: Annotated[str | None, Parameter(show_default=False)] = None,
    /,
    *,
    prompt: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    system: Annotated[str, Parameter(allow_leading_hyphen=True, show_default=False)] = "",
    think: Annotated[bool, Parameter(negative="--no-think", show_default=False)] = True,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    context: Annotated[int, Parameter(show_default=False)] = 0,
    cache_bits: CacheBits = 16,
    load_anyway: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    sampling: SamplingOptions = SamplingOptions(),  # noqa: B008 - frozen
) -> int:
    """Chat with a model in the terminal.

    Without --prompt this is a conversation: Control-C stops an answer, Control-D ends the chat. The answer goes to
    standard output; thinking, progress and figures go to standard error.

    Args:
        model: A model of the library, by name or id, or a folder. Without it the starter model answers.
        prompt: Answer this and leave; - reads it from standard input.
        system: The system prompt.
        think: Let the model think first, where it can, or not.
        json: Write one JSON object a line: the deltas, then the end with its statistics.
        context: Room for so many tokens; without it for as many as the model has.
        cache_bits: Bits in which the context is kept.
        load_anyway: Load the model even if it does not fit this machine.
    """
    if json and prompt is None:
        raise UsageError("--json answers one prompt: give it with --prompt.")
    values = sampling.sampling()
    folders = Folders.from_environment()
    found = library.find_model(roots(), model or prepared_starter(folders))
    if found.obstacle:
        raise UnsupportedModel(found.obstacle)
    confirm = asked_on_terminal if sys.stdin.isatty() and sys.stderr.isatty() else None
    require_room(
        found,
        this_machine(),
        context=context,
        cache_bits=cache_bits,
        confirm=(lambda: True) if load_anyway else confirm,
    )
    values = _with_recommended(values, found, sampling)
    with Session(found.path, folders, context_limit=context, cache_bits=cache_bits) as session:
        conversation = Conversation(session, JsonView() if json else TextView(), values, system=system, think=think)
        if prompt is None:
            return converse(conversation)
        end = conversation.ask(sys.stdin.read() if prompt == "-" else prompt)
        return INTERRUPTED if end == "cancelled" else 0


def _with_recommended(values: Sampling, model: ModelDescription, options: SamplingOptions) -> Sampling:
    """Take what the model recommends where no option says otherwise, and say so."""
    found = with_recommended(values, recommended(model.path), explicit=options.given)
    changed = {name: value for name in NAMES if (value := getattr(found, name)) != getattr(values, name)}
    if changed:
        words = ", ".join(f"{name.replace('_', '-')} {value:g}" for name, value in changed.items())
        terminal.note(f"As {model.name} recommends: {words}.\n")
    return found


class Conversation:
    """The messages so far, and how they are answered and shown."""

    def __init__(self, session: Session, view: AnswerView, sampling: Sampling, *, system: str, think: bool) -> None:
        self._session = session
        self._view = view
        self._sampling = sampling
        self._think = think
        self._messages = [ChatMessage("system", system)] if system else []

    def ask(self, text: str) -> FinishReason:
        """Answer `text`; question and answer join the conversation only if there is an answer.

        Raises:
            FacetError: there is none.
        """
        question = ChatMessage("user", text)
        answer: list[str] = []
        reason: FinishReason = "stop"
        try:
            for event in self._session.answer([*self._messages, question], self._sampling, think=self._think):
                self._view.show(event)
                if isinstance(event, Delta) and event.kind == "answer":
                    answer.append(event.text)
                elif isinstance(event, Finished):
                    reason = event.finish_reason
        finally:
            self._view.end()
        if answer:
            self._messages += [question, ChatMessage("assistant", "".join(answer))]
        return reason


def converse(conversation: Conversation) -> int:
    """Answer line after line until the input ends. On a terminal a failed answer does not end the chat."""
    import readline  # noqa: F401, PLC0415 - importing it gives `input` its editing and history

    if sys.stdin.isatty():
        terminal.note("Control-C stops an answer, Control-D ends the chat.\n")
    while (line := _read_line()) is not None:
        if not line.strip():
            continue
        try:
            conversation.ask(line)
        except FacetError as error:
            if not sys.stdin.isatty():
                raise
            report(error)
    return 0


def _read_line() -> str | None:
    """Return the next line, or None at the end of the input."""
    try:
        return input("\n> " if sys.stdin.isatty() and sys.stdout.isatty() else "")
    except EOFError:
        return None
    except KeyboardInterrupt:
        return ""
