"""Behaviour of choosing the tokens that all models read."""

import dataclasses
from pathlib import Path

import jinja2
import pytest

from mlx_engine.errors import BadCorpus, InvalidParameter, NotComparable
from mlx_engine.inference.load import Model, open_model
from mlx_engine.measure.corpus.corpus import Corpus, Text
from mlx_engine.measure.corpus.reading import reading
from mlx_engine.measure.corpus.sample import same_sample, sample
from mlx_engine.measure.results.convention import Convention
from mlx_engine.protocol import ChatMessage

_short = Convention(chunk_tokens=32)


def test_all_of_a_corpus_is_read_in_its_order(original: Model, texts: Corpus) -> None:
    """Without a limit, each kind gives all its whole chunks."""
    tokens = sample(reading(texts, original.tokenizer, _short), original.tokenizer)
    assert list(dict.fromkeys(tokens.kinds)) == ["prose", "code", "talk"]
    prose = original.tokenizer.encode(texts.texts[0].text, add_special_tokens=False)
    assert tokens.kinds.count("prose") == len(prose) // 32
    assert tokens.tokens[1].tolist()[1:] == prose[33:64]


def test_kinds_take_turns_where_not_all_is_wanted(original: Model, texts: Corpus) -> None:
    """A small sample has something of each."""
    tokens = sample(reading(texts, original.tokenizer, _short, limit_tokens=128), original.tokenizer)
    assert tokens.kinds == ("prose", "prose", "code", "talk")


def test_conversations_speak_the_models_template(original: Model, texts: Corpus) -> None:
    """What is measured is what a chat would be."""
    words = reading(texts, original.tokenizer, _short)
    assert words.passages[2].text.startswith("<|im_start|>user\nHow far is the Moon?")


def test_a_text_shorter_than_a_chunk_is_refused(original: Model) -> None:
    """There is nothing to measure on."""
    words = reading(_note("Too short."), original.tokenizer, _short)
    with pytest.raises(BadCorpus, match="has 7 tokens, but a chunk has 32"):
        sample(words, original.tokenizer)


class _Letters:
    """A tokenizer: a letter is a token, and a start token stands before all."""

    has_chat_template = False
    bos_token_id = 0

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        return [self.bos_token_id] * add_special_tokens + list(map(ord, text))


class _Strict(_Letters):
    """Its template begins with the user."""

    has_chat_template = True

    def apply_chat_template(self, conversation: list[dict[str, str]], **_: object) -> str:
        if conversation[0]["role"] != "user":
            raise jinja2.TemplateError("The user begins.")
        return " ".join(message["content"] for message in conversation)


def test_a_conversation_that_the_template_refuses_is_named() -> None:
    """With its line in the file."""
    text = Text("talk", "talk.jsonl:7", messages=(ChatMessage("assistant", "Hello."),))
    with pytest.raises(BadCorpus, match=r"talk\.jsonl:7 cannot be put .* The user begins"):
        reading(Corpus("talk", (text,)), _Strict(), _short)


def _note(text: str) -> Corpus:
    return Corpus("note", (Text("note", "note", text),))


def test_a_start_token_stands_before_the_text_and_in_each_later_chunk() -> None:
    """As llama.cpp has it, whose figures are comparable then: the first chunk loses no word, the others one each."""
    letters = "".join(map(chr, range(97, 97 + 64)))
    tokens = sample(reading(_note(letters), _Letters(), _short), _Letters()).tokens
    assert tokens[:, 0].tolist() == [0, 0]
    assert "".join(map(chr, tokens[:, 1:].ravel())) == letters[:31] + letters[32:63]


@pytest.mark.parametrize("end", ["", "\n"])
def test_nothing_is_lost_of_a_very_long_text(end: str) -> None:
    """It is given to the tokenizer in pieces, which end with lines if it has any."""
    text = f"It rains all the time, and nobody sees why it should not.{end}" * 40_000
    tokens = sample(reading(_note(text), _Letters(), _short), _Letters()).tokens.ravel()
    assert len(text) > 2_000_000
    assert len(tokens) == (len(text) + 1) // 32 * 32
    assert all(ord(text[at]) == tokens[at + 1] for at in range(1_999_900, 2_000_100) if (at + 1) % 32)


def test_the_second_half_of_a_chunk_is_scored() -> None:
    """As llama.cpp has it: of 512 tokens, the predictions of the last 255."""
    assert (Convention().first_scored, Convention().scored_per_chunk) == (256, 255)
    everything = Convention(scored="all")
    assert (everything.first_scored, everything.scored_per_chunk) == (0, 511)


def test_chunks_of_no_sensible_length_are_refused() -> None:
    """The sentence says which are possible."""
    with pytest.raises(InvalidParameter, match="from 16 to 8,192"):
        Convention(chunk_tokens=4)


def test_a_quantization_of_the_same_model_reads_the_same(original: Model, quantized: Model, texts: Corpus) -> None:
    """It may be compared."""
    words = reading(texts, original.tokenizer, _short)
    expected = sample(words, original.tokenizer)
    assert (same_sample(words, quantized.tokenizer, expected.fingerprint, "4-bit").tokens == expected.tokens).all()


def test_another_chat_template_is_refused(original: Model, tiny_models: Path, texts: Corpus) -> None:
    """It would be asked in other words."""
    gemma = open_model(tiny_models / "gemma3")
    words = reading(dataclasses.replace(texts, texts=texts.texts[:1]), original.tokenizer, _short)
    expected = sample(words, original.tokenizer).fingerprint
    with pytest.raises(NotComparable, match="chat template"):
        same_sample(words, gemma.tokenizer, expected, "gemma3")
