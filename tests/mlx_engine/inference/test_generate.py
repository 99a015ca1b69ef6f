"""Generating answers, with all parts."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mlx.core as mx
import pytest
from mlx.utils import tree_map
from mlx_lm.generate import generate_step

from mlx_engine.errors import EngineError, InvalidParameter, OutOfMemory, PromptTooLong
from mlx_engine.inference.generate import Generation
from mlx_engine.inference.load import Model
from mlx_engine.models.configuration.normalize import normalize
from mlx_engine.networks.build import build

OpenModel = Callable[[str], Model]
Ask = Callable[..., Any]

every = ["llama", "gemma3", "lfm2", "mamba2"]
FIRST = "Once upon a time there was a small machine. What does the machine say to the user, and why?"
ANSWER = "The machine says that it reads a text and answers every question with a number or a word."
SECOND = "And which number does it say next, again and again, after the number 100?"
EDITED = "Forget all that: how many words are in this text?"


def mlx_lm_answer(model: Model, prompt: str, max_tokens: int) -> list[int]:
    """Return the answer of mlx-lm alone, with greedy sampling."""
    tokens = model.tokenizer.apply_chat_template([{"role": "user", "content": prompt}], add_generation_prompt=True)
    return [token for token, _ in generate_step(mx.array(tokens), model.network, max_tokens=max_tokens)]


@pytest.mark.parametrize("name", every)
def test_the_answer_equals_mlx_lm_s(name: str, opened: OpenModel, ask: Ask) -> None:
    """With greedy sampling."""
    model = opened(name)
    tokens = mlx_lm_answer(model, FIRST, 24)
    if (end := model.tokenizer.eos_token_id) in tokens:
        tokens = tokens[: tokens.index(end)]
    answer = ask(Generation(model), FIRST, system="")
    assert answer.text.strip(" \ufffd") == model.tokenizer.decode(tokens).strip(" \ufffd")


@pytest.mark.parametrize("name", every)
def test_the_cache_does_not_change_answers(name: str, opened: OpenModel, ask: Ask) -> None:
    """A second turn, the same turn and an edit of it are answered as without a cache, and read few tokens."""
    generation = Generation(opened(name))
    first = ask(generation, FIRST).statistics
    read = {}
    for title, last in (("next", SECOND), ("again", SECOND), ("edit", EDITED), ("again edited", EDITED)):
        warm, cold = (ask(generator, FIRST, ANSWER, last) for generator in (generation, Generation(opened(name))))
        assert warm.text == cold.text, title
        assert warm.reread_reason == ""
        read[title] = warm.statistics.prompt_tokens - warm.statistics.cached_tokens
        assert warm.statistics.cached_tokens >= first.prompt_tokens - 20
    assert read["again"] <= 10
    assert read["again edited"] <= 10
    assert read["edit"] < read["next"]


def test_a_changed_system_prompt_explains_the_slow_answer(opened: OpenModel, ask: Ask) -> None:
    """The reason names the system prompt, and the answer is correct."""
    generation = Generation(opened("llama"))
    ask(generation, FIRST)
    changed = ask(generation, FIRST, system="You are a large model, and answer every question with numbers and words.")
    assert "again: the conversation differs from token" in changed.reread_reason
    assert changed.reread_reason.endswith("in the system prompt")


@pytest.mark.parametrize("name", every)
@pytest.mark.parametrize("checks", [0, 1, 4, 9])
def test_the_context_is_valid_after_cancellation(name: str, checks: int, opened: OpenModel, ask: Ask) -> None:
    """During prefill or decoding; the conversation continues as without it."""
    generation = Generation(opened(name))
    stopped = ask(generation, FIRST * 8, cancel_after=checks)
    assert stopped.statistics is None or stopped.statistics.finish_reason == "cancelled"
    again, cold = (ask(generator, FIRST * 8) for generator in (generation, Generation(opened(name))))
    assert again.text == cold.text
    assert (again.statistics.cached_tokens > 0) is (checks > 0)


def test_the_statistics_add_up(opened: OpenModel, ask: Ask) -> None:
    """Counts are consistent, and so are rates and times."""
    asked = ask(Generation(opened("llama")), FIRST, max_tokens=10)
    statistics = asked.statistics
    assert (statistics.generated_tokens, statistics.finish_reason) == (10, "length")
    assert statistics.context_tokens == statistics.prompt_tokens + 10
    assert [asked.prefills[0].done_tokens, asked.prefills[-1].done_tokens] == [0, statistics.prompt_tokens - 1]
    assert statistics.prompt_tokens / statistics.prefill_tokens_per_s <= statistics.time_to_first_token_s
    assert 0 < statistics.effective_tokens_per_s < statistics.decode_tokens_per_s
    assert statistics.peak_memory_bytes > 0


def test_one_token_has_no_decode_rate(opened: OpenModel, ask: Ask) -> None:
    """A rate needs two points in time."""
    statistics = ask(Generation(opened("llama")), FIRST, max_tokens=1).statistics
    assert (statistics.generated_tokens, statistics.decode_tokens_per_s) == (1, 0)


def test_the_answer_ends_with_the_context(opened: OpenModel, ask: Ask) -> None:
    """It cannot exceed the context, whatever the limit of tokens."""
    model = opened("llama")
    length = ask(Generation(model), FIRST, max_tokens=1).statistics.prompt_tokens
    statistics = ask(Generation(replace(model, context_length=length + 5)), FIRST, max_tokens=1000).statistics
    assert (statistics.generated_tokens, statistics.finish_reason, statistics.context_tokens) == (
        5,
        "length",
        length + 5,
    )


def test_a_stop_text_ends_the_answer(opened: OpenModel, ask: Ask) -> None:
    """The text ends before it, and the reason is a stop."""
    generation = Generation(opened("llama"))
    whole = ask(generation, FIRST).text
    stopped = ask(generation, FIRST, stop=(whole[6:9],))
    assert stopped.text == whole[: whole.index(whole[6:9])]
    assert stopped.statistics.finish_reason == "stop"


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_logits_that_are_not_numbers_end_the_answer_with_a_sentence(value: float, opened: OpenModel, ask: Ask) -> None:
    """The next answer starts from scratch."""
    model = opened("llama")
    network = build(normalize({**vars(model.network.args), "model_type": "llama"}))
    network.update(tree_map(lambda weight: weight, model.network.parameters()))
    network.model.norm.weight = mx.full(network.model.norm.weight.shape, value)
    generation = Generation(replace(model, network=network))
    for _ in range(2):
        with pytest.raises(EngineError, match="llama produces NaN or infinite logits"):
            ask(generation, FIRST)


def test_the_same_seed_gives_the_same_answer(opened: OpenModel, ask: Ask) -> None:
    """Even if the second request is not the first of its thread, and its prompt is cached."""
    generation = Generation(opened("llama"))
    texts = [ask(generation, FIRST, temperature=1.5, top_k=383, seed=seed).text for seed in (4, 5, 4)]
    assert texts[0] == texts[2] != texts[1]


@pytest.mark.parametrize(
    ("refused", "kind"), [({"temperature": 9.0}, InvalidParameter), ({"system": "word " * 5000}, PromptTooLong)]
)
def test_a_rejected_request_keeps_the_cache(
    refused: dict[str, Any], kind: type[Exception], opened: OpenModel, ask: Ask
) -> None:
    """It is rejected before any work."""
    generation = Generation(opened("llama"))
    ask(generation, FIRST)
    with pytest.raises(kind):
        ask(generation, FIRST, **refused)
    assert ask(generation, FIRST, ANSWER, SECOND).statistics.cached_tokens > 0


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[METAL] Command buffer execution failed: Insufficient Memory (00000008:kIOGPUCommandBuffer…)", OutOfMemory),
        ("[METAL] Command buffer execution failed: Caused GPU Timeout Error", EngineError),
    ],
)
def test_a_failure_of_the_device_clears_the_cache(
    text: str, kind: type[EngineError], opened: OpenModel, ask: Ask
) -> None:
    """It is reported, and the next request is answered."""
    model = opened("llama")

    class Failing:
        """The network, failing as the device would while `broken`."""

        broken = False
        layers = model.network.layers
        modules = model.network.modules

        def __call__(self, tokens: mx.array, cache: Any) -> mx.array:
            if self.broken:
                raise RuntimeError(text)
            return model.network(tokens, cache=cache)

    network = Failing()
    generation = Generation(replace(model, network=network))
    expected = ask(generation, FIRST).text
    network.broken = True
    with pytest.raises(kind) as caught:
        ask(generation, FIRST, ANSWER, SECOND)
    assert type(caught.value) is kind
    network.broken = False
    after = ask(generation, FIRST)
    assert (after.text, after.statistics.cached_tokens) == (expected, 0)


def long_model(model: Model, boundary: int) -> Model:
    """Return `model` with a network whose rotation changes beyond `boundary` tokens."""
    mx.random.seed(5)
    scaling = {"rope_type": "longrope", "short_factor": [1.0] * 8, "long_factor": [4.0] * 8}
    config = {
        "model_type": "phi3",
        "hidden_size": 32,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "rms_norm_eps": 1e-5,
        "vocab_size": model.vocabulary_size,
        "max_position_embeddings": 8 * boundary,
        "original_max_position_embeddings": boundary,
        "rope_scaling": scaling,
        "sliding_window": None,
    }
    network = build(normalize(config))
    network.update(tree_map(lambda values: 8 * values, network.parameters()))
    return replace(model, network=network, context_length=8 * boundary)


def greedily_from_scratch(network: Any, tokens: list[int], count: int) -> list[int]:
    """Return the answer when every step reads all tokens anew."""
    for _ in range(count):
        tokens = [*tokens, int(mx.argmax(network(mx.array([tokens]))[0, -1]))]
    return tokens[-count:]


@pytest.mark.parametrize("beyond", [-30, -9, 0, 9])
def test_an_answer_crosses_the_length_of_pretraining(beyond: int, opened: OpenModel, ask: Ask) -> None:
    """With longrope, it is the answer of a network that reads everything again for each token."""
    opened_model = opened("llama")
    messages = [{"role": "user", "content": FIRST}]
    tokens = opened_model.tokenizer.apply_chat_template(messages, add_generation_prompt=True)
    model = long_model(opened_model, len(tokens) - beyond)
    expected = greedily_from_scratch(model.network, list(tokens), 24)
    answer = ask(Generation(model), FIRST, system="")
    assert answer.text.strip(" \ufffd") == model.tokenizer.decode(expected).strip(" \ufffd")
    assert any(event.reread_reason for event in answer.prefills) is (-24 < beyond <= 0)
