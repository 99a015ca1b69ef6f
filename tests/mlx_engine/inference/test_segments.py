"""Splitting tokens into pieces of text."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine.inference.load import Model
from mlx_engine.inference.prompt import thinking_format
from mlx_engine.inference.segments import Segments
from tests.byte_tokenizer import byte_tokenizer

OpenModel = Callable[[str], Model]


def gather(tokenizer: Any, tokens: Sequence[int], *, opens_thinking: bool = False, stop: tuple[str, ...] = ()) -> Any:
    """Return the thinking, the answer, and the number of tokens before a stop text."""
    segments = Segments(tokenizer, thinking_format(tokenizer), opens_thinking=opens_thinking, stop=stop)
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


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_every_character_arrives_complete(tokenizer: Any, text: str) -> None:
    """Even if tokens split it."""
    text = f"x{text}x"
    assert gather(tokenizer, tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True))[1] == text


def test_half_a_character_is_never_shown(tokenizer: Any) -> None:
    """A character of four bytes appears with its last byte, or never."""
    segments = Segments(tokenizer, thinking_format(tokenizer), opens_thinking=False, stop=())
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


def split(text: str, *, control: tuple[str, ...] = (), plain: tuple[str, ...] = (), **options: Any) -> tuple[str, str]:
    """Return thinking and answer of `text`, whose markers in `control` and `plain` are tokens of their own."""
    tokenizer = byte_tokenizer(control, plain)
    tokens = tokenizer.encode(text, add_special_tokens=False)
    thinking, answer, _ = gather(tokenizer, tokens, **options)
    return thinking, answer


THINK = ("<think>", "</think>")


@pytest.mark.parametrize("blank", [" ", "\n\n", "\t", "\u200b", "\ufeff\n", "\u00a0\u2060"])
def test_blanks_before_the_thinking_are_not_an_answer(blank: str) -> None:
    """White space, and characters without width."""
    assert split(f"{blank}<think>Hm.</think>Yes.", plain=THINK) == ("Hm.", "Yes.")


def test_indentation_of_an_answer_is_kept() -> None:
    assert split("    x = 1\n") == ("", "    x = 1\n")
    assert split("<think>Hm.</think>\n\n    x = 1\n", plain=THINK) == ("Hm.", "    x = 1\n")


def test_an_end_without_a_start_is_not_shown() -> None:
    """The text before it can no longer become thinking; the answer is a new paragraph."""
    assert split("Hm.</think>\n\nYes.", plain=THINK) == ("", "Hm.\n\nYes.")
    assert split("Hm.\n</think>\nYes.") == ("", "Hm.\n\n\nYes.")


def test_a_second_end_is_not_shown() -> None:
    assert split("<think>Hm.</think>\n</think>\nYes.", plain=THINK) == ("Hm.", "Yes.")
    assert split("<think>Hm.</think></think>Yes.") == ("Hm.", "Yes.")


def test_a_repeated_start_is_not_shown() -> None:
    """A model may repeat the marker with which its prompt ends."""
    assert split("<think>\nHm.</think>Yes.", plain=THINK, opens_thinking=True) == ("Hm.", "Yes.")
    assert split("<think>\nHm.</think>Yes.", opens_thinking=True) == ("Hm.", "Yes.")


def test_second_thoughts_are_thinking() -> None:
    """Directly after the first ones, or on a line of their own."""
    assert split("<think>A.</think><think>B.</think>Yes.") == ("A.B.", "Yes.")
    assert split("<think>A.</think>So.\n<think>B.</think>Yes.", plain=THINK) == ("A.B.", "So.\nYes.")


@pytest.mark.parametrize(
    "text", ["Use <think> for thoughts.", "`<think>` and `</think>`", "```\n<think>\n</think>\n```"]
)
def test_a_marker_in_the_text_or_code_of_an_answer_is_shown(text: str) -> None:
    """A model can write about markers, also where these are tokens of their own."""
    assert split(f"See:\n{text}", plain=THINK) == ("", f"See:\n{text}")


def test_thinking_can_be_empty() -> None:
    assert split("<think></think>Yes.", plain=THINK) == ("", "Yes.")
    assert split("<think>\n\n</think>\n\nYes.") == ("", "Yes.")


def test_an_answer_can_end_in_the_thinking() -> None:
    """The start of a marker is shown if the rest does not follow."""
    assert split("<think>Hm </thi") == ("Hm </thi", "")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("[THINK]", "[/THINK]"),
        ("<seed:think>", "</seed:think>"),
        ("◁think▷", "◁/think▷"),
        ("<|inner_prefix|>", "<|inner_suffix|>"),
        ("<longcat_think>", "</longcat_think>"),
        ("<思考>", "</思考>"),
    ],
)
@pytest.mark.parametrize("is_control", [False, True])
def test_each_pair_of_markers_is_recognized(start: str, end: str, is_control: bool) -> None:
    markers = {"control" if is_control else "plain": (start, end)}
    assert split(f"{start}Hm.{end}\nYes.", **markers) == ("Hm.", "Yes.")  # type: ignore[arg-type]


def test_markers_of_the_answer_are_not_shown() -> None:
    control = ("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>")
    text = "<|START_THINKING|>Hm.<|END_THINKING|><|START_RESPONSE|>Yes.<|END_RESPONSE|>"
    assert split(text, control=control) == ("Hm.", "Yes.")


HARMONY = ("<|channel|>", "<|start|>", "<|end|>", "<|message|>", "<|return|>", "<|call|>", "<|constrain|>")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<|channel|>final<|message|>Yes.", ("", "Yes.")),
        ("<|channel|>analysis<|message|>Hm.", ("Hm.", "")),
        (
            "<|channel|>commentary to=functions.f <|constrain|>json<|message|>{}<|end|>"
            "<|start|>assistant<|channel|>final<|message|>Yes.",
            ("{}", "Yes."),
        ),
        ("<|message|>Yes.", ("", "Yes.")),
        ("Yes.", ("", "Yes.")),
        ("<|channel|>anal", ("", "")),
    ],
)
def test_only_the_final_channel_is_the_answer(text: str, parts: tuple[str, str]) -> None:
    """Headers are never shown."""
    assert split(text, control=HARMONY) == parts


def test_a_channel_can_be_named_by_a_line() -> None:
    control = ("<|channel>", "<channel|>")
    assert split("<|channel>thought\nHm.<channel|>Yes.", control=control) == ("Hm.", "Yes.")
    assert split("One.\nTwo.", control=control, plain=("\n",)) == ("", "One.\nTwo.")


def test_an_element_can_be_a_channel() -> None:
    control = ("<|open|>", "<|close|>", "<|sep|>")
    text = "<|open|>think<|sep|>Hm.<|close|>think<|sep|><|open|>response<|sep|>Yes.<|close|>response<|sep|>"
    assert split(text, control=control) == ("Hm.", "Yes.")


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
