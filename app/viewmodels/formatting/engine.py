"""The state of an engine as text."""

from dataclasses import dataclass

from mlx_engine.amounts import format_percent
from mlx_engine.engine.values.state import EngineState, Failed, Generating, Loading, Ready, Starting, Stopped


@dataclass(frozen=True, slots=True)
class EngineLabel:
    """Text of an engine state. `text` is "" for an unloaded model; `problem` is the reason of a failure."""

    text: str = ""
    problem: str = ""
    is_loaded: bool = False


def describe_engine(state: EngineState) -> EngineLabel:
    """Describe `state`; `is_loaded` is True while a process is running that can be stopped."""
    match state:
        case Stopped():
            return EngineLabel()
        case Starting():
            return EngineLabel("Starting…", is_loaded=True)
        case Loading(done, total):
            share = f" {format_percent(done / total)}" if total else ""
            return EngineLabel(f"Loading{share}", is_loaded=True)
        case Ready():
            return EngineLabel("Ready", is_loaded=True)
        case Generating():
            return EngineLabel("Answering", is_loaded=True)
        case Failed(title, message):
            return EngineLabel("Failed", problem=f"{title}. {message}")
