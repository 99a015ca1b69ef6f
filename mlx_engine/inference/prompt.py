"""From a conversation to the tokens that the model reads.

The chat template comes with the model and is not trusted: it runs in the immutable sandbox of transformers, within a
time limit. What people and models wrote is text and nothing else: the name of a control token in it stays a text, so
that a message cannot pretend to be another role's.
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

# What the sandbox of transformers and the expressions of a template are known to raise.
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

# A control token's name is carried through the template as its number between two noncharacters, which Unicode
# reserves for uses like this.
_open, _close = "\ufdd0", "\ufdd1"
_carried = re.compile(f"{_open}([0-9]+){_close}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads.

    `boundaries` are the numbers of tokens before and after the text of the last message: the places to which an edit
    or a new answer goes back. `stop` are texts that end an answer besides those asked for.
    """

    tokens: list[int]
    text: str
    messages: tuple[ChatMessage, ...]
    boundaries: tuple[int, ...]
    opens_thinking: bool
    stop: tuple[str, ...]

    def place(self, character: int) -> str:
        """Return in words where in the conversation a character of `text` is."""
        number = position = 0
        for message in self.messages:
            number += message.role != "system"
            found = self.text.find(message.content.strip(), position)
            position = found + len(message.content.strip()) if found >= 0 else position
            if character < position:
                return "the system prompt" if message.role == "system" else f"message {number}"
        return "the last message"


def build_prompt(tokenizer: Any, messages: Sequence[ChatMessage], *, think: bool, context_length: int) -> Prompt:
    """Apply the model's chat template to `messages`, and turn the text into tokens, once.

    Raises:
        RequestError: the last message is not the user's, or is empty.
        TemplateError: the chat template fails, takes too long, or reaches outside its sandbox.
        PromptTooLong: no token of an answer would fit behind the conversation.
    """
    if not messages or messages[-1].role != "user" or not messages[-1].content.strip():
        raise RequestError("There is no message to answer. Write one first.")
    specials = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special]
    carried = tuple(ChatMessage(one.role, _carry(_whole_characters(one.content), specials)) for one in messages)
    templated = tokenizer.has_chat_template
    text = _apply_template(tokenizer, carried, think=think) if templated else _plain(carried)
    tokens = _tokenize(tokenizer, text, specials, add_special_tokens=not templated)
    if len(tokens) >= context_length:
        raise PromptTooLong(
            f"The conversation is {len(tokens):,} tokens; the context has room for {context_length:,}. "
            "Shorten the last message, choose a longer context if the model has one, or start a new conversation."
        )
    start, end = _last_message(text, carried[-1].content)
    tail = text[end:]
    return Prompt(
        tokens=tokens,
        text=text,
        messages=carried,
        # One token less: where two texts meet, a token can hold the end of one and the start of the other.
        boundaries=tuple(
            sorted({max(0, len(tokens) - len(_tokenize(tokenizer, text[at:], specials)) - 1) for at in (start, end)})
        ),
        opens_thinking=tokenizer.has_thinking and tail.rfind(tokenizer.think_start) > tail.rfind(tokenizer.think_end),
        stop=() if templated else ("\nUser:",),
    )


def finished_conversation(tokenizer: Any, messages: Sequence[ChatMessage]) -> str:
    """Return `messages` in the words of the model's chat template, without the beginning of another answer.

    Raises:
        TemplateError: the chat template fails, or takes too long.
    """
    try:
        return _render(tokenizer, messages, think=True, is_finished=True)
    except TemplateError:
        return _render(tokenizer, _without_system(messages), think=True, is_finished=True)


def _apply_template(tokenizer: Any, messages: Sequence[ChatMessage], *, think: bool) -> str:
    """Render the messages as they are, or else in the plainest form: some templates refuse or drop a system message."""
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
            f"The chat template that comes with this model failed: {reason} "
            "Another version of the model may have a better one."
        ) from error
    return str(text)


def _without_system(messages: Sequence[ChatMessage]) -> list[ChatMessage]:
    """Put what the system says at the head of the user's first message, and join neighbours of the same role."""
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
    for index, piece in enumerate(_carried.split(text)):
        if index % 2:
            name = specials[int(piece)] if int(piece) < len(specials) else piece
            tokens += tokenizer.encode(name, add_special_tokens=False, split_special_tokens=True)
        elif piece:
            tokens += tokenizer.encode(piece, add_special_tokens=add_special_tokens and index == 0)
    return tokens


def _carry(text: str, specials: list[str]) -> str:
    if not any(special in text for special in specials):
        return text
    numbers = {special: number for number, special in enumerate(specials)}
    names = re.compile("|".join(map(re.escape, sorted(specials, key=len, reverse=True))))
    return names.sub(lambda found: f"{_open}{numbers[found[0]]}{_close}", text)


def _whole_characters(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _last_message(text: str, content: str) -> tuple[int, int]:
    """Return where the last message starts and ends in the rendered text; its end twice if it cannot be found."""
    start = text.rfind(content.strip())
    return (start, start + len(content.strip())) if start >= 0 else (len(text), len(text))


@contextmanager
def _time_limit(limit_s: float) -> Iterator[None]:
    """Raise TimeoutError after `limit_s` in the main thread, the one that runs templates in a worker.

    A template stuck inside a single operation of Python's own, such as a power of huge numbers, cannot be interrupted:
    the process then ends after twice the time, and its client tells why.
    """

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise TimeoutError(f"it runs for more than {limit_s:g} seconds.")

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
