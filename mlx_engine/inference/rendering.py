"""A conversation as the text that the model's chat template makes of it.

The chat template comes with the model and is not trusted: it runs in the immutable sandbox of transformers, within a
time limit.
"""

import faulthandler
import re
import signal
import threading
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

import jinja2

from mlx_engine.errors import TemplateError
from mlx_engine.models.description.thinking import switches
from mlx_engine.protocol import ChatMessage

Conversation = list[dict[str, Any]]
"""Messages as a chat template takes them."""

TEMPLATE_LIMIT_S = 5.0
"""Real templates take milliseconds."""

# The exceptions that the sandbox of transformers and the expressions of templates are known to raise.
_template_errors = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RecursionError,
    TimeoutError,
    TypeError,
    ValueError,
    jinja2.TemplateError,
)

_letter = re.compile(r"\S")
_LAYOUTS: tuple[tuple[str, ...], ...] = ((), ("system", "user", "assistant"), ("user",))
"""Roles whose content is a list of parts, not a text."""
_printed_part = re.compile(r"""\{["']type["']: ["']text["']""")


@dataclass(frozen=True, slots=True)
class RenderedConversation:
    """A conversation as text; `span` is the start and end of the last message in it."""

    conversation: Conversation
    text: str
    span: tuple[int, int]


def apply_template(tokenizer: Any, messages: Sequence[ChatMessage], *, think: bool) -> tuple[RenderedConversation, str]:
    """Return the rendered messages with the opening of the answer, and that opening alone."""
    rendered = _first_complete(messages, lambda form: _render(tokenizer, form, think=think))
    text = rendered.text
    try:
        finished = _render(tokenizer, rendered.conversation, think=think, is_finished=True)
    except TemplateError:
        finished = text
    # Some templates always open an answer.
    return rendered, text[_common_length(text, finished) :] or text[rendered.span[1] :]


def finished_conversation(tokenizer: Any, messages: Sequence[ChatMessage]) -> str:
    """Return `messages` as the model's chat template renders them, without the opening of another answer.

    Raises:
        TemplateError: the chat template fails, takes too long, or leaves out the user's words.
    """
    return _first_complete(messages, lambda form: _render(tokenizer, form, think=True, is_finished=True)).text


def _first_complete(messages: Sequence[ChatMessage], render: Callable[[Conversation], str]) -> RenderedConversation:
    """Return the first form of `messages` that the template renders with the words of the user.

    Some templates refuse or drop a system message: its text then precedes the user's first one. Some take content only
    as a list of parts. If no form is rendered literally, a form whose words the template changes will do.

    Raises:
        TemplateError: no form is rendered with these words.
    """
    forms = [list(messages)]
    if (merged := _without_system(messages)) != forms[0]:
        forms.append(merged)
    failure: TemplateError | None = None
    altered: list[RenderedConversation] = []
    for with_parts in _LAYOUTS:
        for form in forms:
            try:
                text = render(_conversation(form, with_parts))
                spans = [
                    _span(text, render(_conversation(_with_other_words(form, index), with_parts)))
                    for index, message in enumerate(form)
                    if message.role == "system" or index == len(form) - 1
                ]
            except TemplateError as error:
                failure = failure or error
                continue
            if with_parts and _printed_part.search(text):  # The template takes a text, and prints the list.
                continue
            required = [*(message for message in form[:-1] if message.role == "system"), form[-1]]
            rendered = RenderedConversation(_conversation(form, with_parts), text, spans[-1])
            if all(
                _squeezed(message.content) in _squeezed(text[start:end])
                for message, (start, end) in zip(required, spans, strict=True)
            ):
                return rendered
            if all(start < end for start, end in spans):  # The template escapes the words, for example.
                altered.append(rendered)
    if altered:
        return altered[0]
    raise failure or TemplateError(
        "The chat template of this model leaves out what you wrote, so the model would answer something else. "
        "Another version of the model may have a working template."
    )


def _with_other_words(messages: Sequence[ChatMessage], index: int) -> list[ChatMessage]:
    """Replace each letter of a message, so that a text search cannot mistake the template's words for the user's."""
    message = messages[index]
    other = ChatMessage(message.role, _letter.sub(lambda match: "1" if match[0] == "0" else "0", message.content))
    return [*messages[:index], other, *messages[index + 1 :]]


def _span(text: str, other: str) -> tuple[int, int]:
    """Return the start and end of the part of `text` that differs from `other`."""
    start = _common_length(text, other)
    return start, len(text) - _common_length(text[start:][::-1], other[start:][::-1])


def _conversation(messages: Sequence[ChatMessage], with_parts: Collection[str] = ()) -> Conversation:
    return [
        {
            "role": message.role,
            "content": [{"type": "text", "text": message.content}] if message.role in with_parts else message.content,
        }
        for message in messages
    ]


def _common_length(first: str, second: str) -> int:
    """Return the number of characters with which both texts start."""
    lengths = range(1, min(len(first), len(second)) + 1)
    return bisect_left(lengths, True, key=lambda length: first[:length] != second[:length])


def _squeezed(text: str) -> str:
    """Return `text` without white space, which templates may trim or replace."""
    return "".join(text.split())


def _render(tokenizer: Any, conversation: Conversation, *, think: bool, is_finished: bool = False) -> str:
    try:
        with _time_limit(TEMPLATE_LIMIT_S):
            text = tokenizer.apply_chat_template(
                conversation,
                tokenize=False,
                add_generation_prompt=not is_finished,
                **{"enable_thinking": think, **switches(template_text(tokenizer), think=think)},
            )
    except _template_errors as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise TemplateError(
            f"The chat template of this model failed: {reason.rstrip('.')}. "
            "Another version of the model may have a working one."
        ) from error
    return str(text)


def template_text(tokenizer: Any) -> str:
    """Return the source of the chat template; "" if there is none, or a function in its place."""
    return tokenizer.chat_template if isinstance(tokenizer.chat_template, str) else ""


def _without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Prepend the system prompt to the user's first message, and join adjacent messages of the same role."""
    joined: list[ChatMessage] = []
    for message in messages:
        role = "user" if message.role == "system" else message.role
        if joined and joined[-1].role == role:
            message = ChatMessage(role, f"{joined.pop().content}\n\n{message.content}")  # noqa: PLW2901
        joined.append(ChatMessage(role, message.content))
    return joined


def render_plainly(messages: Sequence[ChatMessage]) -> RenderedConversation:
    """Return a conversation that a model without a chat template can continue."""
    names = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    text = "\n\n".join(f"{names[message.role]}{message.content}" for message in messages)
    span = len(text) - len(messages[-1].content), len(text)
    return RenderedConversation(_conversation(messages), f"{text}\n\nAssistant:", span)


@contextmanager
def _time_limit(limit_s: float) -> Iterator[None]:
    """Raise TimeoutError after `limit_s` in the main thread, the one that runs templates in a worker.

    A template stuck inside a single built-in operation, such as a power of huge numbers, cannot be interrupted: the
    process then exits after twice the time, and its client reports the reason.
    """

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"it ran for more than {limit_s:g} seconds.")

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    faulthandler.dump_traceback_later(2 * limit_s, exit=True, file=2)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
