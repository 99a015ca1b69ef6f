"""Choosing the tokens that all models read."""

import dataclasses
from pathlib import Path

import jinja2
import pytest

from mlx_engine.errors import BadCorpus, InvalidParameter, NotComparable
from mlx_engine.inference.load import Model, open_model
from mlx_engine.measure.corpus.corpus import Corpus, CorpusText
from mlx_engine.measure.corpus.rendered_corpus import render_corpus
from mlx_engine.measure.corpus.sample import matching_sample, tokenize
from mlx_engine.measure.results.convention import Convention
from mlx_engine.protocol import ChatMessage

_short = Convention(chunk_tokens=32)


def test_without_a_limit_the_whole_corpus_is_read_in_order(original: Model, texts: Corpus) -> None:
    """Each kind contributes all its complete chunks."""
    tokens = tokenize(render_corpus(texts, original.tokenizer, _short), original.tokenizer)
    assert list(dict.fromkeys(tokens.kinds)) == ["prose", "code", "talk"]
    prose = original.tokenizer.encode(texts.texts[0].text, add_special_tokens=False)
    assert tokens.kinds.count("prose") == len(prose) // 32
    assert tokens.tokens[1].tolist()[1:] == prose[33:64]


def test_with_a_limit_the_kinds_take_turns(original: Model, texts: Corpus) -> None:
    """A small sample contains every kind."""
    tokens = tokenize(render_corpus(texts, original.tokenizer, _short, limit_tokens=128), original.tokenizer)
    assert tokens.kinds == ("prose", "prose", "code", "talk")


def test_conversations_are_rendered_by_the_chat_template(original: Model, texts: Corpus) -> None:
    """The model reads what it would read in a chat."""
    rendered = render_corpus(texts, original.tokenizer, _short)
    assert rendered.passages[2].text.startswith("<|im_start|>user\nHow far is the Moon?")


def test_a_text_shorter_than_a_chunk_is_rejected(original: Model) -> None:
    rendered = render_corpus(_note("Too short."), original.tokenizer, _short)
    with pytest.raises(BadCorpus, match="has 7 tokens, but a chunk has 32"):
        tokenize(rendered, original.tokenizer)


class _Letters:
    """A tokenizer with one token per letter and a start token."""

    has_chat_template = False
    bos_token_id = 0

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        return [self.bos_token_id] * add_special_tokens + list(map(ord, text))


class _Strict(_Letters):
    """Its template requires the user to speak first."""

    has_chat_template = True
    chat_template = ""

    def apply_chat_template(self, conversation: list[dict[str, str]], **_: object) -> str:
        if conversation[0]["role"] != "user":
            raise jinja2.TemplateError("The user speaks first.")
        return " ".join(message["content"] for message in conversation)


def test_a_conversation_that_the_template_rejects_is_named() -> None:
    """The message has its line in the file."""
    text = CorpusText("talk", "talk.jsonl:7", messages=(ChatMessage("assistant", "Hello."),))
    with pytest.raises(BadCorpus, match=r"chat template rejects talk\.jsonl:7\. .*The user speaks first"):
        render_corpus(Corpus("talk", (text,)), _Strict(), _short)


def _note(text: str) -> Corpus:
    return Corpus("note", (CorpusText("note", "note", text),))


def test_a_start_token_begins_every_chunk() -> None:
    """As in llama.cpp, so that results are comparable: later chunks lose their first token to it."""
    letters = "".join(map(chr, range(97, 97 + 64)))
    tokens = tokenize(render_corpus(_note(letters), _Letters(), _short), _Letters()).tokens
    assert tokens[:, 0].tolist() == [0, 0]
    assert "".join(map(chr, tokens[:, 1:].ravel())) == letters[:31] + letters[32:63]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_very_long_text_is_tokenized_completely(end: str) -> None:
    """The tokenizer gets it in pieces, split at line ends if there are any."""
    text = f"It rains all the time, and nobody sees why it should not.{end}" * 40_000
    tokens = tokenize(render_corpus(_note(text), _Letters(), _short), _Letters()).tokens.ravel()
    assert len(text) > 2_000_000
    assert len(tokens) == (len(text) + 1) // 32 * 32
    assert all(ord(text[at]) == tokens[at + 1] for at in range(1_999_900, 2_000_100) if (at + 1) % 32)


def test_the_second_half_of_a_chunk_is_scored() -> None:
    """As in llama.cpp: the last 255 predictions of 512 tokens."""
    assert (Convention().first_scored, Convention().scored_per_chunk) == (256, 255)
    everything = Convention(scored="all")
    assert (everything.first_scored, everything.scored_per_chunk) == (0, 511)


def test_an_invalid_chunk_length_is_rejected() -> None:
    """The message has the valid range."""
    with pytest.raises(InvalidParameter, match="between 16 and 8,192"):
        Convention(chunk_tokens=4)


def test_a_quantized_model_reads_the_same_tokens(original: Model, quantized: Model, texts: Corpus) -> None:
    """It can be compared with its original."""
    rendered = render_corpus(texts, original.tokenizer, _short)
    expected = tokenize(rendered, original.tokenizer)
    assert (
        matching_sample(rendered, quantized.tokenizer, expected.fingerprint, "4-bit").tokens == expected.tokens
    ).all()


def test_a_different_chat_template_is_rejected(original: Model, tiny_models: Path, texts: Corpus) -> None:
    """Its prompts would differ."""
    gemma = open_model(tiny_models / "gemma3")
    rendered = render_corpus(dataclasses.replace(texts, texts=texts.texts[:1]), original.tokenizer, _short)
    expected = tokenize(rendered, original.tokenizer).fingerprint
    with pytest.raises(NotComparable, match="chat template"):
        matching_sample(rendered, gemma.tokenizer, expected, "gemma3")
