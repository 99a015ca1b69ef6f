"""`facet chat`: answers one prompt, or chats in the terminal."""

import sys
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.cli.model_lookup import roots
from mlx_engine.cli.prepare import prepare_starter
from mlx_engine.cli.sampling_options import SamplingOptions
from mlx_engine.cli.session import Session
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.answer import AnswerJsonView, AnswerTextView, AnswerView
from mlx_engine.cli.views.failure import INTERRUPTED, UsageError, report
from mlx_engine.cli.views.memory import confirm_on_terminal, require_fit
from mlx_engine.errors import FacetError, UnsupportedModel
from mlx_engine.folders import Folders
from mlx_engine.models.description.description import ModelDescription
from mlx_engine.models.description.recommendation import NAMES, recommended, with_recommended
from mlx_engine.models.library import library
from mlx_engine.models.memory.machine import this_machine
from mlx_engine.protocol import CacheBits, ChatMessage, Delta, Finished, FinishReason
from mlx_engine.sampling import Sampling


def chat(  # noqa: PLR0913 - the options of the command
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

    Control-C stops an answer, Control-D ends the chat. With --prompt, answers once and exits. The answer goes to
    standard output; thinking, progress and statistics go to standard error.

    Args:
        model: Name, id or folder of a model. Default: the starter model.
        prompt: Answer this prompt and exit; - reads it from standard input.
        system: System prompt.
        think: Let the model think before it answers, if it can.
        json: Write JSON, one object per line: text deltas, then the end with statistics.
        context: Context length in tokens. Default: the model's maximum.
        cache_bits: Precision of the KV cache, in bits.
        load_anyway: Load the model even if it does not fit in memory.
    """
    if json and prompt is None:
        raise UsageError("--json needs a prompt. Add --prompt.")
    values = sampling.sampling()
    folders = Folders.from_environment()
    description = library.find_model(roots(), model or prepare_starter(folders))
    if description.obstacle:
        raise UnsupportedModel(description.obstacle)
    confirm = confirm_on_terminal if sys.stdin.isatty() and sys.stderr.isatty() else None
    require_fit(
        description,
        this_machine(),
        context=context,
        cache_bits=cache_bits,
        confirm=(lambda: True) if load_anyway else confirm,
    )
    values = _apply_recommended(values, description, sampling)
    with Session(description.path, folders, context_limit=context, cache_bits=cache_bits) as session:
        view = AnswerJsonView() if json else AnswerTextView()
        dialog = TerminalChat(session, view, values, system=system, think=think)
        if prompt is None:
            return run_loop(dialog)
        end = dialog.ask(sys.stdin.read() if prompt == "-" else prompt)
        return INTERRUPTED if end == "cancelled" else 0


def _apply_recommended(values: Sampling, model: ModelDescription, options: SamplingOptions) -> Sampling:
    """Apply the model's recommendations to the options that are not set, and report them."""
    result = with_recommended(values, recommended(model.path), explicit=options.explicit)
    changes = {name: value for name in NAMES if (value := getattr(result, name)) != getattr(values, name)}
    if changes:
        text = ", ".join(f"{name.replace('_', '-')} {value:g}" for name, value in changes.items())
        terminal.note(f"Using {model.name}'s recommended settings: {text}.\n")
    return result


class TerminalChat:
    """A conversation in the terminal: the messages, the model and the view."""

    def __init__(self, session: Session, view: AnswerView, sampling: Sampling, *, system: str, think: bool) -> None:
        self._session = session
        self._view = view
        self._sampling = sampling
        self._think = think
        self._messages = [ChatMessage("system", system)] if system else []

    def ask(self, text: str) -> FinishReason:
        """Answer `text`; question and answer become part of the conversation only if there is an answer.

        Raises:
            FacetError: the model did not answer.
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


def run_loop(dialog: TerminalChat) -> int:
    """Answer line by line until the input ends. On a terminal, a failed answer does not end the chat."""
    import readline  # noqa: F401, PLC0415 - adds line editing and history to `input`

    if sys.stdin.isatty():
        terminal.note("Control-C stops an answer, Control-D ends the chat.\n")
    while (line := _read_line()) is not None:
        if not line.strip():
            continue
        try:
            dialog.ask(line)
        except FacetError as error:
            if not sys.stdin.isatty():
                raise
            report(error)
    return 0


def _read_line() -> str | None:
    """Return the next line, or None at the end of input."""
    try:
        return input("\n> " if sys.stdin.isatty() and sys.stdout.isatty() else "")
    except EOFError:
        return None
    except KeyboardInterrupt:
        return ""
