"""One answer: prefill the new part of the conversation, then decode token by token, with an event for each step.

An answer is an iterator of the protocol's events; the last one is its `Finished`. It runs in the one thread that
touches MLX, and leaves a context behind that the next turn continues, even after a cancellation.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any

import mlx.core as mx
from mlx_lm.generate import generate_step

from mlx_engine.amounts import format_memory
from mlx_engine.errors import EngineError, OutOfMemory
from mlx_engine.inference import memory
from mlx_engine.inference.cache import Cache, Reread
from mlx_engine.inference.context import Context
from mlx_engine.inference.load import Model
from mlx_engine.inference.prefill import Reader
from mlx_engine.inference.prompt import Prompt, build_prompt
from mlx_engine.inference.sampling import Sampler, make_logits_processors, make_sampler
from mlx_engine.inference.segments import Segment, Segments
from mlx_engine.inference.statistics import Tally
from mlx_engine.protocol import Delta, Finished, FinishReason, Generate, Prefill

AnswerEvent = Prefill | Delta | Finished


class Generation:
    """Answers conversations with one model, one after the other, and caches the contexts it has read."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._reader = Reader(model.network)
        self._cache = Cache(model.network, memory.machine_bytes() // 8, obstacle=model.cache_obstacle)

    def answer(self, request: Generate, is_cancelled: Callable[[], bool]) -> Iterator[AnswerEvent]:
        """Answer the last message. `is_cancelled` is checked between steps.

        Raises:
            RequestError: the request is refused before any work: a value out of range, a prompt that is too long, a
                chat template that fails, or a KV cache precision that the model does not support.
            OutOfMemory: memory ran out; all contexts are dropped, and the next request starts from scratch.
            EngineError: MLX failed in another way.
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
        try:
            yield from self._read(request.id, prompt, context, self._describe(reread, prompt), is_cancelled)
            reason: FinishReason = "cancelled"
            if not is_cancelled():
                reason = yield from self._decode(request, prompt, context, sampler, tally, is_cancelled)
            context.evaluate()
        except (RuntimeError, MemoryError) as error:
            context.layers.clear()
            self._cache.clear()
            mx.clear_cache()
            raise _translate(error, len(prompt.tokens)) from error
        self._cache.check_in(context)
        statistics = tally.statistics(
            reason, context_tokens=len(context.tokens), peak_memory_bytes=mx.get_peak_memory()
        )
        yield Finished(request.id, reason, statistics if tally.generated_tokens else None)

    def _read(
        self, id: str, prompt: Prompt, context: Context, reread_reason: str, is_cancelled: Callable[[], bool]
    ) -> Iterator[Prefill]:
        """Read all but the last token: the step of the last token already yields the first token of the answer."""
        total, cached = len(prompt.tokens), len(context.tokens)
        event = Prefill(
            id=id, done_tokens=cached, total_tokens=total, cached_tokens=cached, reread_reason=reread_reason
        )
        yield event
        for done in self._reader.read(
            context, prompt.tokens[:-1], boundaries=prompt.boundaries, is_cancelled=is_cancelled
        ):
            yield Prefill(
                id=id, done_tokens=done, total_tokens=total, cached_tokens=cached, reread_reason=reread_reason
            )

    def _decode(
        self,
        request: Generate,
        prompt: Prompt,
        context: Context,
        sampler: Sampler,
        tally: Tally,
        is_cancelled: Callable[[], bool],
    ) -> Generator[Delta, None, FinishReason]:
        """Generate the answer into `context`, which already receives each token that `generate_step` yields."""
        tokenizer, network = self._model.tokenizer, self._model.network
        ends = tokenizer.eos_token_ids
        segments = Segments(
            tokenizer, opens_thinking=prompt.opens_thinking, stop=(*request.sampling.stop, *prompt.stop)
        )
        steps: Any = generate_step(
            mx.array(prompt.tokens[-1:]),
            network,
            max_tokens=min(request.sampling.max_tokens, self._context_length(request) - len(prompt.tokens)),
            sampler=sampler,
            logits_processors=make_logits_processors(request.sampling, prompt.tokens),
            prompt_cache=context.layers,
        )
        reason: FinishReason = "length"
        context.tokens.append(prompt.tokens[-1])

        def deltas(pieces: list[Segment]) -> Iterator[Delta]:
            return (Delta(request.id, kind, text, tally.generated_tokens) for kind, text in pieces)

        with closing(steps):
            for token, _ in steps:
                tally.count_token()
                context.tokens.append(token)
                if token in ends:
                    reason = "stop"
                    break
                yield from deltas(segments.add(token))
                if segments.stopped:
                    reason = "stop"
                    break
                if is_cancelled():
                    reason = "cancelled"
                    break
        yield from deltas(segments.finish())
        return reason

    def _context_length(self, request: Generate) -> int:
        return min(self._model.context_length, request.context_limit or self._model.context_length)

    def _describe(self, reread: Reread | None, prompt: Prompt) -> str:
        if reread is None:
            return ""
        return reread.describe(lambda index: prompt.locate(len(self._model.tokenizer.decode(prompt.tokens[:index]))))


def _translate(error: RuntimeError | MemoryError, prompt_tokens: int) -> EngineError:
    if memory.is_out_of_memory(error):
        return OutOfMemory(
            f"Not enough memory for {prompt_tokens:,} tokens: this Mac has "
            f"{format_memory(memory.machine_bytes())}. Close other apps, shorten the conversation, or use a "
            "model with fewer bits."
        )
    return EngineError(f"MLX couldn't continue: {' '.join(str(error).split())[:300]}. Try again.")
