"""A tokenizer of bytes, with added tokens: enough to try templates, markers and detokenizing without a model."""

from collections.abc import Iterable
from typing import Any

from mlx_lm.tokenizer_utils import TokenizerWrapper
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast


def byte_tokenizer(
    control: Iterable[str] = (), plain: Iterable[str] = (), *, template: str | None = None, end: str | None = None
) -> Any:
    """Return mlx-lm's wrapper around a byte-level tokenizer with `control` and `plain` added tokens."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE(vocab={letter: number for number, letter in enumerate(alphabet)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in control])
    backend.add_tokens([AddedToken(text, normalized=False) for text in plain])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=end)
    tokenizer.chat_template = template
    return TokenizerWrapper(tokenizer)
