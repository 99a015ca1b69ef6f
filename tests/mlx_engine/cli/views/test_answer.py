import json

import pytest

from mlx_engine.cli.views.answer import AnswerJsonView, AnswerTextView, progress
from mlx_engine.protocol import Delta, Finished, LoadProgress, Prefill, Statistics

STATISTICS = Statistics(
    prompt_tokens=10,
    cached_tokens=0,
    prefill_tokens_per_s=100,
    time_to_first_token_s=0.1,
    generated_tokens=3,
    decode_tokens_per_s=20,
    effective_tokens_per_s=15,
    peak_memory_bytes=1_000_000,
    context_tokens=13,
    finish_reason="stop",
)


def test_only_the_answer_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """So that it can be piped."""
    view = AnswerTextView()
    for event in (
        Delta("a", "thinking", "Hmm.", 1),
        Delta("a", "answer", "Yes", 2),
        Delta("a", "answer", "\x1b[2J!", 3),
        Finished("a", "stop", STATISTICS),
    ):
        view.show(event)

    out, err = capsys.readouterr()
    assert out == "Yes[2J!\n"
    assert err.startswith("Hmm.\n\n3 tokens at 20.0 tok/s")


def test_an_interrupted_answer_ends_with_a_line_break(capsys: pytest.CaptureFixture[str]) -> None:
    """An error message must not follow half a word on the same line."""
    view = AnswerTextView()
    view.show(Delta("a", "answer", "Half a w", 1))
    view.end()

    assert capsys.readouterr().out == "Half a w\n"


def test_json_output_is_one_object_per_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Text survives unchanged."""
    view = AnswerJsonView()
    text = 'a "quote"\n\x1b\x9b\x7f 👍'
    for event in (LoadProgress("load", 1, 2), Delta("a", "answer", text, 1), Finished("a", "stop", STATISTICS)):
        view.show(event)
    out = capsys.readouterr().out
    delta, finished = map(json.loads, out.splitlines())

    assert not set(out) & {"\x1b", "\x9b", "\x7f"}
    assert (delta["type"], delta["text"]) == ("delta", text)
    assert (finished["type"], finished["statistics"]["generated_tokens"]) == ("finished", 3)


def test_progress_gives_the_reason_for_rereading_a_prompt() -> None:
    event = Prefill(
        id="a", done_tokens=512, total_tokens=2000, cached_tokens=0, reread_reason="the system prompt changed"
    )

    assert progress(event) == "Reading 512 of 2,000 tokens (the system prompt changed)"
    assert progress(LoadProgress("load", 1, 4)) == "Loading the model: 25%"
