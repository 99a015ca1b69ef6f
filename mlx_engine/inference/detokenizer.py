"""Text of generated tokens, as far as it is complete.

Decodes a window of the latest tokens with the model's own decoder, so that the text is the same as that of all tokens
decoded at once, at a constant cost per token. mlx-lm's detokenizers are built for three decoders; elsewhere they lose
indentation, or decode an added token such as "größe" as if its letters stood for bytes.
"""

from typing import Any

_LONGEST_CHARACTER = 8
"""A character of four bytes can take as many tokens; after some more, the bytes are not a character."""
_INCOMPLETE = "\ufffd"


class Detokenizer:
    """Collects the tokens of one answer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._size = len(tokenizer)
        self._added = _added_texts(tokenizer)
        self._tokens: list[int] = []
        self._complete = 0
        """The number of tokens in the window whose text has been returned."""

    def add(self, token: int) -> str:
        """Return the text that `token` completes."""
        if token >= self._size:  # A network can have more outputs than the tokenizer has tokens.
            return ""
        if token in self._added:
            text = self.finish() + self._added[token]
            self._tokens, self._complete = [], 0
            return text
        self._tokens.append(token)
        return self._advance(len(self._tokens) - self._complete > _LONGEST_CHARACTER)

    def finish(self) -> str:
        """Return the text that has been held back, without an incomplete character at the end."""
        return self._advance(is_final=True).rstrip(_INCOMPLETE)

    def _advance(self, is_final: bool) -> str:
        text = self._decode(self._tokens)
        if text.endswith(_INCOMPLETE) and not is_final:
            return ""
        new = text[len(self._decode(self._tokens[: self._complete])) :]
        # The tokens of the last step stay, because a decoder may treat the first token of a text in a special way.
        del self._tokens[: self._complete]
        self._complete = len(self._tokens)
        return new

    def _decode(self, tokens: list[int]) -> str:
        if not tokens:
            return ""
        return str(self._tokenizer.decode(tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def _added_texts(tokenizer: Any) -> dict[int, str]:
    """Return the added tokens that are plain text although the decoder would read their letters as bytes."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or "ByteLevel" not in type(backend.decoder).__name__:
        return {}
    return {number: token.content for number, token in tokenizer.added_tokens_decoder.items()}
