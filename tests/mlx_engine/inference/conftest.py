"""Tiny models, each opened once, and a function that generates answers."""

import functools
import itertools
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlx_engine.inference.generate import Generation
from mlx_engine.inference.load import Model, open_model
from mlx_engine.protocol import CacheBits, ChatMessage, Delta, Finished, Generate, Prefill, Statistics
from mlx_engine.sampling import Sampling

OpenModel = Callable[[str], Model]

SYSTEM = "You are a small model and answer every question with numbers and words, such as the and of. " * 2
QUESTION = "Once upon a time there was a small machine. What does the machine say to the user?"


@dataclass(frozen=True)
class Response:
    """Response to one request."""

    text: str
    reread_reason: str
    statistics: Statistics | None
    prefills: list[Prefill]


@pytest.fixture(scope="session")
def opened(tiny_models: Path) -> OpenModel:
    """Return a function that opens a model by name, with its weights in memory."""

    @functools.cache
    def open_by_name(name: str) -> Model:
        model = open_model(tiny_models / name)
        list(model.read_weights())
        return model

    return open_by_name


@pytest.fixture(scope="session")
def ask() -> Callable[..., Response]:
    """Return a function that sends texts, alternating between user and assistant, and collects the answer."""

    def send(
        generation: Generation,
        *texts: str,
        system: str = SYSTEM,
        cancel_after: int = -1,
        context_limit: int = 0,
        cache_bits: CacheBits = 16,
        **sampling: object,
    ) -> Response:
        roles = ("user", "assistant")
        messages = [ChatMessage("system", system)] if system else []
        messages += [ChatMessage(roles[index % 2], text) for index, text in enumerate(texts)]
        values = {"temperature": 0.0, "max_tokens": 24, **sampling}
        request = Generate(
            id="1",
            messages=tuple(messages),
            sampling=Sampling(**values),
            context_limit=context_limit,
            cache_bits=cache_bits,
        )
        seen = itertools.count()
        events = list(generation.answer(request, lambda: 0 <= cancel_after <= next(seen)))
        assert isinstance(events[-1], Finished)
        prefills = [event for event in events if isinstance(event, Prefill)]
        text = "".join(event.text for event in events if isinstance(event, Delta))
        return Response(text, prefills[0].reread_reason, events[-1].statistics, prefills)

    return send


@pytest.fixture
def with_template(tiny_models: Path, tmp_path: Path) -> Callable[[str | None], Any]:
    """Return a function that creates a tokenizer with another chat template, or none."""

    def make(template: str | None) -> Any:
        folder = tmp_path / "model"
        shutil.copytree(tiny_models / "llama", folder)
        settings = json.loads((folder / "tokenizer_config.json").read_text())
        (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": template}))
        return open_model(folder).tokenizer

    return make
