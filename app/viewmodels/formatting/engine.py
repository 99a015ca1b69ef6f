"""The state of an engine in words for a person."""

from dataclasses import dataclass

from mlx_engine.amounts import format_percent
from mlx_engine.engine.values.state import EngineState, Failed, Generating, Loading, Ready, Starting, Stopped


@dataclass(frozen=True, slots=True)
class EngineWords:
    """`text` is empty for a model that is not loaded; `problem` is the sentence of a failure."""

    text: str = ""
    problem: str = ""
    is_loaded: bool = False


def in_words(state: EngineState) -> EngineWords:
    """Return what to say of `state`; `is_loaded` is true as long as there is a process that can be ended."""
    match state:
        case Stopped():
            return EngineWords()
        case Starting():
            return EngineWords("Starting…", is_loaded=True)
        case Loading(done, total):
            share = f" {format_percent(done / total)}" if total else ""
            return EngineWords(f"Loading{share}", is_loaded=True)
        case Ready():
            return EngineWords("Ready", is_loaded=True)
        case Generating():
            return EngineWords("Answering", is_loaded=True)
        case Failed(title, message):
            return EngineWords("Failed", problem=f"{title}. {message}")
