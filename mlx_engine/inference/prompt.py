"""From a conversation to the tokens that the model reads.

Messages are text and nothing else: the name of a control token inside a message stays text, so that a message cannot
impersonate another role.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlx_engine.errors import PromptTooLong, RequestError, TemplateError
from mlx_engine.inference.rendering import apply_template, finished_conversation, render_plainly, template_text
from mlx_engine.models.description.thinking import ThinkingFormat, find_format
from mlx_engine.protocol import ChatMessage

# A control token's name passes through the template as its number between two noncharacters, which Unicode reserves
# for uses like this. A message that contains these has numbers for them too.
_open, _close = "\ufdd0", "\ufdd1"
_placeholder = re.compile(f"{_open}([0-9]{{1,7}}){_close}")


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
    specials = [str(token) for token in tokenizer.added_tokens_decoder.values() if token.special] + [_open, _close]
    escaped = tuple(
        ChatMessage(message.role, _escape(_whole_characters(message.content), specials)) for message in messages
    )
    templated = tokenizer.has_chat_template
    rendered, opening = apply_template(tokenizer, escaped, think=think) if templated else (render_plainly(escaped), "")
    text = rendered.text
    tokens = _tokenize(tokenizer, text, specials, add_special_tokens=not templated)
    if len(tokens) >= context_length:
        raise PromptTooLong(
            f"The conversation is {len(tokens):,} tokens long, but the context holds {context_length:,}. "
            "Shorten the last message, choose a longer context if the model has one, or start a new chat."
        )
    return Prompt(
        tokens=tokens,
        text=text,
        messages=escaped,
        # One token less: a token can span the end of one text and the start of the next.
        boundaries=tuple(
            sorted({max(0, len(tokens) - len(_tokenize(tokenizer, text[at:], specials)) - 1) for at in rendered.span})
        ),
        opens_thinking=templated and thinking_format(tokenizer).opens_thinking(opening),
        stop=() if templated else ("\nUser:",),
    )


def thinking_format(tokenizer: Any) -> ThinkingFormat:
    """Return the format in which the model marks its thinking."""
    return find_format(template_text(tokenizer), tokenizer.get_added_vocab())


def end_tokens(tokenizer: Any) -> set[int]:
    """Return the tokens that end an answer: those that the files name, and the one that the template writes there.

    Some files name too few, and an answer would then run on into an invented next turn.
    """
    return tokenizer.eos_token_ids | _turn_ends(tokenizer)  # type: ignore[no-any-return]


def _turn_ends(tokenizer: Any) -> set[int]:
    """Return the added token that the chat template writes after an answer, if there is one."""
    if not tokenizer.has_chat_template:
        return set()
    probe = (ChatMessage("user", "1"), ChatMessage("assistant", "2 and 3"))
    try:
        text = finished_conversation(tokenizer, probe)
    except TemplateError:
        return set()
    rest = text.rpartition(probe[1].content)[2].lstrip()
    inner = thinking_format(tokenizer).effects
    ends = {
        token.content: number
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.content and token.content not in inner and rest.startswith(token.content)
    }
    return {ends[max(ends, key=len)]} if ends else set()


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
