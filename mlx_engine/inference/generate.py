"""One answer: prefill the new part of the conversation, then decode token by token, with an event for each step.

An answer is an iterator of the protocol's events; the last one is its `Finished`. It runs in the one thread that
touches MLX, and leaves a context behind that the next turn continues, even after a cancellation.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import mlx.core as mx
import msgspec
from mlx_lm.generate import generate_step

from mlx_engine.amounts import format_memory
from mlx_engine.errors import EngineError, OutOfMemory
from mlx_engine.inference import memory
from mlx_engine.inference.cache import Cache, Reread
from mlx_engine.inference.context import Context
from mlx_engine.inference.load import Model
from mlx_engine.inference.prefill import Reader
from mlx_engine.inference.prompt import Prompt, build_prompt, thinking_format
from mlx_engine.inference.sampling import CheckedSampler, make_logits_processors, make_sampler
from mlx_engine.inference.segments import Segment, Segments
from mlx_engine.inference.statistics import Tally
from mlx_engine.networks.rotation import expected_length, length_boundary
from mlx_engine.protocol import Delta, Finished, FinishReason, Generate, Prefill

AnswerEvent = Prefill | Delta | Finished


class Generation:
    """Answers conversations with one model, one after the other, and caches the contexts it has read."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._reader = Reader(model.network)
        self._cache = Cache(
            model.network,
            memory.machine_bytes() // 8,
            obstacle=model.cache_obstacle,
            boundary=length_boundary(model.network),
        )

    def answer(self, request: Generate, is_cancelled: Callable[[], bool]) -> Iterator[AnswerEvent]:
        """Answer the last message. `is_cancelled` is checked between steps.

        Raises:
            RequestError: the request is refused before any work: a value out of range, a prompt that is too long, a
                chat template that fails, or a KV cache precision that the model does not support.
            OutOfMemory: memory ran out; all contexts are dropped, and the next request starts from scratch.
            EngineError: MLX failed in another way, or the model's logits are not numbers.
        """
        tally = Tally()
        sampler = make_sampler(request.sampling, self._model.vocabulary_size)
        context_length = self._context_length(request)
        prompt = build_prompt(
            self._model.tokenizer, request.messages, think=request.think, context_length=context_length
        )
        mx.reset_peak_memory()
        context, reread = self._cache.check_out(prompt.tokens, request.cache_bits)
        tally.start_prefill(prompt_tokens=len(prompt.tokens), cached_tokens=len(context.tokens))
        task = _Task(request, prompt, context, sampler, tally, is_cancelled)
        try:
            yield from self._read(task, prompt.tokens, self._describe(reread, prompt))
            reason: FinishReason = "cancelled"
            if not is_cancelled():
                reason = yield from self._decode(task)
            context.evaluate()
        except (RuntimeError, MemoryError, FloatingPointError) as error:
            context.layers.clear()
            self._cache.clear()
            mx.clear_cache()
            raise _translate(error, self._model.name, len(prompt.tokens)) from error
        self._cache.check_in(context)
        statistics = tally.statistics(
            reason, context_tokens=len(context.tokens), peak_memory_bytes=mx.get_peak_memory()
        )
        yield Finished(request.id, reason, statistics if tally.generated_tokens else None)

    def _read(self, task: "_Task", tokens: list[int], reread_reason: str) -> Iterator[Prefill]:
        """Read all but the last of `tokens`: the step of the last one already yields the next token of the answer."""
        cached = len(task.context.tokens)
        event = Prefill(
            id=task.request.id,
            done_tokens=cached,
            total_tokens=len(tokens),
            cached_tokens=cached,
            reread_reason=reread_reason,
        )
        yield event
        steps = self._reader.read(
            task.context, tokens[:-1], boundaries=task.prompt.boundaries, is_cancelled=task.is_cancelled
        )
        with expected_length(self._model.network, len(tokens)):
            for done in steps:
                yield msgspec.structs.replace(event, done_tokens=done)

    def _decode(self, task: "_Task") -> Generator[Prefill | Delta, None, FinishReason]:
        """Generate the answer into the context of `task`."""
        request, tally = task.request, task.tally
        ends = self._model.tokenizer.eos_token_ids
        segments = Segments(
            self._model.tokenizer,
            thinking_format(self._model.tokenizer),
            opens_thinking=task.prompt.opens_thinking,
            stop=(*request.sampling.stop, *task.prompt.stop),
        )
        limit = min(request.sampling.max_tokens, self._context_length(request) - len(task.prompt.tokens))
        reason: FinishReason = "cancelled"

        def deltas(pieces: list[Segment]) -> Iterator[Delta]:
            return (Delta(request.id, kind, text, tally.generated_tokens) for kind, text in pieces)

        with closing(self._steps(task, limit)) as steps:
            for step in steps:
                if isinstance(step, Prefill):
                    yield step
                else:
                    tally.count_token()
                    if step in ends:
                        reason = "stop"
                        break
                    yield from deltas(segments.add(step))
                    if segments.stopped:
                        reason = "stop"
                        break
                if task.is_cancelled():
                    break
            else:
                reason = "cancelled" if task.is_cancelled() else "length"
        yield from deltas(segments.finish())
        return reason

    def _steps(self, task: "_Task", limit: int) -> Generator[int | Prefill, None, None]:
        """Yield up to `limit` tokens of the answer, after adding them to the context.

        Where the network starts to encode all positions differently, the context is read again.
        """
        context, tokens = task.context, task.prompt.tokens
        while True:
            context.tokens.append(tokens[-1])
            remaining = self._cache.tokens_left(context)
            count = limit if remaining is None else min(limit, remaining)
            steps: Any = generate_step(
                mx.array(tokens[-1:]),
                self._model.network,
                max_tokens=count,
                sampler=task.sampler,
                logits_processors=make_logits_processors(task.request.sampling, tokens),
                prompt_cache=context.layers,
            )
            with closing(steps):
                for token, _ in steps:
                    task.sampler.check()
                    context.tokens.append(token)
                    yield token
            limit -= count
            if limit <= 0:
                return
            tokens = list(context.tokens)
            yield from self._read(task, tokens, self._describe(self._cache.restart(context), task.prompt))
            if task.is_cancelled():
                return

    def _context_length(self, request: Generate) -> int:
        return min(self._model.context_length, request.context_limit or self._model.context_length)

    def _describe(self, reread: Reread | None, prompt: Prompt) -> str:
        if reread is None:
            return ""
        return reread.describe(lambda index: prompt.locate(len(self._model.tokenizer.decode(prompt.tokens[:index]))))


@dataclass(frozen=True, slots=True)
class _Task:
    """One request, and the objects that are used until it is answered."""

    request: Generate
    prompt: Prompt
    context: Context
    sampler: CheckedSampler
    tally: Tally
    is_cancelled: Callable[[], bool]


def _translate(error: RuntimeError | MemoryError | FloatingPointError, name: str, prompt_tokens: int) -> EngineError:
    if isinstance(error, FloatingPointError):
        return EngineError(f"{name} {error}")
    if memory.is_out_of_memory(error):
        return OutOfMemory(
            f"Not enough memory for {prompt_tokens:,} tokens: this Mac has "
            f"{format_memory(memory.machine_bytes())}. Close other apps, shorten the conversation, or use a "
            "model with fewer bits."
        )
    return EngineError(f"MLX couldn't continue: {' '.join(str(error).split())[:300]}. Try again.")
