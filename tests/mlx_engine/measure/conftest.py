"""Shared by the measurement tests: a model, a quantization of it, and a corpus."""

from pathlib import Path
from typing import Any

import pytest

from mlx_engine.inference.load import Model, open_model
from mlx_engine.measure.corpus.corpus import Corpus, CorpusText
from mlx_engine.protocol import ChatMessage

_prose = "The harbour lay still under a thin moon, and nobody spoke of the boats that had not come back. " * 30
_code = "def area(width: float, height: float) -> float:\n    return width * height\n\n" * 30
_talk = (ChatMessage("user", "How far is the Moon? " * 20), ChatMessage("assistant", "About 384,400 km. " * 20))


@pytest.fixture(scope="session")
def texts() -> Corpus:
    """Texts of three kinds."""
    prose, code = CorpusText("prose", "a", _prose), CorpusText("code", "b", _code)
    return Corpus("texts", (prose, code, CorpusText("talk", "c", messages=_talk)))


def _opened(folder: Path) -> Model:
    model = open_model(folder)
    for _ in model.read_weights():
        pass
    return model


@pytest.fixture(scope="session")
def original(tiny_models: Path) -> Any:
    return _opened(tiny_models / "llama")


@pytest.fixture(scope="session")
def quantized(tiny_models: Path) -> Any:
    return _opened(tiny_models / "llama-4bit")
