"""From a conversation to the tokens that the model reads.

The chat template comes with the model and is not trusted: it runs in the immutable sandbox of transformers, within a
time limit. Messages are text and nothing else: the name of a control token inside a message stays text, so that a
message cannot impersonate another role.
"""

import faulthandler
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

import jinja2

from mlx_engine.errors import PromptTooLong, RequestError, TemplateError
from mlx_engine.protocol import ChatMessage

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

# A control token's name passes through the template as its number between two noncharacters, which Unicode reserves
# for uses like this.
_open, _close = "\ufdd0", "\ufdd1"
_placeholder = re.compile(f"{_open}([0-9]+){_close}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as tokens.

    `boundaries` are the numbers of tokens before and after the text of the last message: the positions to which an
    edit or a regenerated answer rewinds. `stop` lists stop sequences in addition to those of the request.
    """

    tokens: list[int]
    text: str
    messages: tuple[ChatMessage, ...]
    boundaries: tuple[int, ...]
    opens_thinking: bool
    stop: tuple[str, ...]

    def locate(self, character: int) -> str:
        """Return the message that contains a character of `text`, as "message 3"."""
        number = position = 0
        for message in self.messages:
            number += message.role != "system"
            start = self.text.find(message.content.strip(), position)
            position = start + len(message.content.strip()) if start >= 0 else position
            if character < position:
                return "the system prompt" if message.role == "system" else f"message {number}"
        return "the last message"


def build_prompt(tokenizer: Any, messages: Sequence[ChatMessage], *, think: bool, context_length: int) -> Prompt:
    """Apply the model's chat template to `messages`, and turn the text into tokens, once.

    Raises:
        RequestError: the last message is not the user's, or is empty.
        TemplateError: the chat template fails, takes too long, or reaches outside its sandbox.
        PromptTooLong: the context has no room for an answer after the conversation.
    """
    if not messages or messages[-1].role != "user" or not messages[-1].content.strip():
        raise RequestError("Write a message first: there is nothing to answer.")
    specials = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    escaped = tuple(
        ChatMessage(message.role, _escape(_whole_characters(message.content), specials)) for message in messages
    )
    templated = tokenizer.has_chat_template
    text = _apply_template(tokenizer, escaped, think=think) if templated else _plain(escaped)
    tokens = _tokenize(tokenizer, text, specials, add_special_tokens=not templated)
    if len(tokens) >= context_length:
        raise PromptTooLong(
            f"The conversation is {len(tokens):,} tokens long, but the context holds {context_length:,}. "
            "Shorten the last message, choose a longer context if the model has one, or start a new chat."
        )
    start, end = _last_message(text, escaped[-1].content)
    tail = text[end:]
    return Prompt(
        tokens=tokens,
        text=text,
        messages=escaped,
        # One token less: a token can span the end of one text and the start of the next.
        boundaries=tuple(
            sorted({max(0, len(tokens) - len(_tokenize(tokenizer, text[at:], specials)) - 1) for at in (start, end)})
        ),
        opens_thinking=tokenizer.has_thinking and tail.rfind(tokenizer.think_start) > tail.rfind(tokenizer.think_end),
        stop=() if templated else ("\nUser:",),
    )


def finished_conversation(tokenizer: Any, messages: Sequence[ChatMessage]) -> str:
    """Return `messages` as the model's chat template renders them, without the opening of another answer.

    Raises:
        TemplateError: the chat template fails, or takes too long.
    """
    try:
        return _render(tokenizer, messages, think=True, is_finished=True)
    except TemplateError:
        return _render(tokenizer, _without_system(messages), think=True, is_finished=True)


def _apply_template(tokenizer: Any, messages: Sequence[ChatMessage], *, think: bool) -> str:
    """Render the messages, merging the system prompt where needed: some templates refuse or drop a system message."""
    try:
        text = _render(tokenizer, messages, think=think)
    except TemplateError:
        if (plainest := _without_system(messages)) == list(messages):
            raise
        return _render(tokenizer, plainest, think=think)
    if messages[0].role == "system" and messages[0].content.strip() not in text:
        return _render(tokenizer, _without_system(messages), think=think)
    return text


def _render(tokenizer: Any, messages: Sequence[ChatMessage], *, think: bool, is_finished: bool = False) -> str:
    conversation = [{"role": message.role, "content": message.content} for message in messages]
    try:
        with _time_limit(TEMPLATE_LIMIT_S):
            text = tokenizer.apply_chat_template(
                conversation, tokenize=False, add_generation_prompt=not is_finished, enable_thinking=think
            )
    except _template_errors as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise TemplateError(
            f"The chat template of this model failed: {reason} Another version of the model may have a working one."
        ) from error
    return str(text)


def _without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Prepend the system prompt to the user's first message, and join adjacent messages of the same role."""
    joined: list[ChatMessage] = []
    for message in messages:
        role = "user" if message.role == "system" else message.role
        if joined and joined[-1].role == role:
            message = ChatMessage(role, f"{joined.pop().content}\n\n{message.content}")  # noqa: PLW2901
        joined.append(ChatMessage(role, message.content))
    return joined


def _plain(messages: Sequence[ChatMessage]) -> str:
    """Return a conversation that a model without a chat template can continue."""
    names = {"system": "", "user": "User: ", "assistant": "Assistant: "}
    return "".join(f"{names[message.role]}{message.content}\n\n" for message in messages) + "Assistant:"


def _tokenize(tokenizer: Any, text: str, specials: list[str], *, add_special_tokens: bool = False) -> list[int]:
    tokens: list[int] = []
    for index, piece in enumerate(_placeholder.split(text)):
        if index % 2:
            name = specials[int(piece)] if int(piece) < len(specials) else piece
            tokens += tokenizer.encode(name, add_special_tokens=False, split_special_tokens=True)
        elif piece:
            tokens += tokenizer.encode(piece, add_special_tokens=add_special_tokens and index == 0)
    return tokens


def _escape(text: str, specials: list[str]) -> str:
    if not any(special in text for special in specials):
        return text
    numbers = {special: number for number, special in enumerate(specials)}
    names = re.compile("|".join(map(re.escape, sorted(specials, key=len, reverse=True))))
    return names.sub(lambda match: f"{_open}{numbers[match[0]]}{_close}", text)


def _whole_characters(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _last_message(text: str, content: str) -> tuple[int, int]:
    """Return the start and end of the last message in the rendered text; the end of the text twice if it is missing."""
    start = text.rfind(content.strip())
    return (start, start + len(content.strip())) if start >= 0 else (len(text), len(text))


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
