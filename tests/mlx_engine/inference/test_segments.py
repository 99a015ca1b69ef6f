"""Splitting tokens into pieces of text."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.inference.load import Model
from mlx_engine.inference.segments import Segments

OpenModel = Callable[[str], Model]


def gather(tokenizer: Any, tokens: Sequence[int], *, opens_thinking: bool = False, stop: tuple[str, ...] = ()) -> Any:
    """Return the thinking, the answer, and the number of tokens before a stop text."""
    segments = Segments(tokenizer, opens_thinking=opens_thinking, stop=stop)
    texts = {"thinking": "", "answer": ""}
    count = 0
    for token in tokens:
        count += 1
        for kind, text in segments.add(token):
            texts[kind] += text
        if segments.stopped:
            break
    for kind, text in segments.finish():
        texts[kind] += text
    return texts["thinking"], texts["answer"], count


def in_letters(tokenizer: Any, text: str) -> list[int]:
    """Return tokens for single characters, so that every text crosses borders of tokens."""
    return [token for character in text for token in tokenizer.encode(character, add_special_tokens=False)]


@pytest.fixture(scope="session")
def tokenizer(opened: OpenModel) -> Any:
    return opened("qwen3").tokenizer


# mlx-lm's detokenizer shows a zero byte as "Ā", and drops a space at the very start.
@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80))
def test_every_character_arrives_complete(tokenizer: Any, text: str) -> None:
    """Even if tokens split it."""
    text = f"x{text}x"
    assert gather(tokenizer, tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))[1] == text


def test_half_a_character_is_never_shown(tokenizer: Any) -> None:
    """A character of four bytes appears with its last byte, or never."""
    segments = Segments(tokenizer, opens_thinking=False, stop=())
    *bytes_before, last = tokenizer.encode("😀", add_special_tokens=False)
    assert [segments.add(token) for token in bytes_before] == [[]] * len(bytes_before)
    assert segments.add(last) == [("answer", "😀")]
    assert gather(tokenizer, bytes_before)[1] == ""


@pytest.mark.parametrize("split", [False, True])
def test_thinking_is_separate_from_the_answer(tokenizer: Any, split: bool) -> None:
    """Markers are control tokens or text; they and the adjacent newlines are not shown."""
    text = "<think>\nHm, well.\n</think>\n\n  The answer."
    tokens = in_letters(tokenizer, text) if split else tokenizer.encode(text, add_special_tokens=False)
    assert gather(tokenizer, tokens)[:2] == ("Hm, well.\n", "  The answer.")


def test_thinking_that_the_prompt_has_opened_needs_no_marker(tokenizer: Any) -> None:
    """The answer starts where the thinking ends."""
    tokens = tokenizer.encode("Hm.</think>Yes.", add_special_tokens=False)
    assert gather(tokenizer, tokens, opens_thinking=True)[:2] == ("Hm.", "Yes.")


def test_an_answer_can_contain_the_marker(tokenizer: Any) -> None:
    """After the start of the answer, the marker is ordinary text."""
    text = "Models write <think> and </think>."
    assert gather(tokenizer, in_letters(tokenizer, text))[:2] == ("", text)


def test_an_incomplete_marker_is_text(tokenizer: Any) -> None:
    """It is shown when the answer ends."""
    assert gather(tokenizer, in_letters(tokenizer, "<thin"))[1] == "<thin"


def test_a_stop_text_ends_the_answer_and_is_not_shown(tokenizer: Any) -> None:
    """It can cross tokens; the first occurrence of any stop text counts."""
    text = "One two STOP three END"
    _, answer, count = gather(tokenizer, in_letters(tokenizer, text), stop=("END", "STOP"))
    assert answer == "One two "
    assert count == text.index("STOP") + len("STOP")


def test_a_stop_text_does_not_end_the_thinking(tokenizer: Any) -> None:
    """A model may mention it there."""
    tokens = in_letters(tokenizer, "<think>STOP?</think>Yes. STOP")
    assert gather(tokenizer, tokens, stop=("STOP",))[:2] == ("STOP?", "Yes. ")


def test_the_start_of_a_stop_text_alone_is_shown(tokenizer: Any) -> None:
    """As soon as the rest differs."""
    assert gather(tokenizer, in_letters(tokenizer, "STO STOO"), stop=("STOP",))[1] == "STO STOO"


def test_an_unknown_token_has_no_text(tokenizer: Any) -> None:
    """Networks are often padded to a rounder number of outputs."""
    assert gather(tokenizer, [len(tokenizer) + 5])[1] == ""
