"""What the Hub and the downloads say in figures, in words for a person."""

import os
from collections.abc import Mapping

from app.viewmodels.formatting.amounts import bytes_in_words, parameters_in_words
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.hub_messages import FileProgress
from mlx_engine.models.description.size_class import size_class
from mlx_engine.quantize.plan.messages import SourceProgress

LICENCES: Mapping[str, str] = {
    "apache-2.0": "Apache 2.0",
    "mit": "MIT",
    "gemma": "Gemma",
    "llama3.2": "Llama 3.2",
    "llama3.1": "Llama 3.1",
    "llama3.3": "Llama 3.3",
    "cc-by-4.0": "CC BY 4.0",
    "cc-by-nc-4.0": "CC BY-NC 4.0",
    "other": "Other licence",
}
"""The Hub's names of licences, and people's."""


def licence(name: str) -> str:
    return LICENCES.get(name, name) or "licence unknown"


def amount(parameters: int) -> str:
    """Return size class and number of parameters: "small · 4.02B"; "" if they are unknown."""
    return f"{size_class(parameters)} · {parameters_in_words(parameters)}" if parameters else ""


def count(number: int) -> str:
    """Return a number of downloads or likes in three figures: "12.3k", "1.2M"."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size * 0.9995:
            figures = number / size
            return f"{figures:.0f}{unit}" if figures >= 99.95 else f"{figures:.3g}{unit}"
    return str(number)


def file_size(size_bytes: int) -> str:
    """Return the size of a file, which may be small."""
    if size_bytes >= 1e6:
        return bytes_in_words(size_bytes)
    return f"{size_bytes / 1e3:.0f} KB" if size_bytes >= 1e3 else f"{max(size_bytes, 0)} bytes"


def file_progress(file: FileProgress) -> str:
    return f"{file.name}  {file_size(file.done_bytes)} of {file_size(file.total_bytes)}"


def time_left(seconds: float) -> str:
    """Return how long something still takes, rounded so that it does not flicker."""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 60:
        return f"{round(seconds / 10) * 10} s left"
    if seconds < 3600:
        return f"{round(seconds / 60)} min left"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min left"


def progress(state: JobState) -> str:
    """Return how a download stands, in a line."""
    match state:
        case Queued():
            return "Waiting for its turn"
        case Running():
            return _running(state)
        case Paused():
            return f"Paused · {_done(state)}" if state.total_bytes else "Paused"
        case Done():
            return f"Ready · {bytes_in_words(state.size_bytes)}, every file verified"
        case Failed():
            return state.title


def _running(state: Running) -> str:
    if not state.total_bytes:
        return state.notice or "Asking the Hub what there is to download…"
    if state.notice:
        return f"{_done(state)} · {state.notice}"
    rate = f"{bytes_in_words(round(state.bytes_per_s))}/s" if state.bytes_per_s else ""
    left = "" if state.remaining_s is None else time_left(state.remaining_s)
    return " · ".join(part for part in (_done(state), rate, left) if part)


def both(state: Running, source: SourceProgress) -> str:
    """Return how a conversion stands whose original is being downloaded meanwhile: what takes longer tells the rest."""
    came = f"{bytes_in_words(source.done_bytes)} of {bytes_in_words(source.total_bytes)} downloaded"
    written = f"{_done(state)} written"
    if state.notice:
        return f"{came} · {written} · {state.notice}"
    is_coming = source.done_bytes < source.total_bytes
    rate = f"{bytes_in_words(round(source.bytes_per_s))}/s" if is_coming and source.bytes_per_s else ""
    rests = [seconds for seconds in (source.remaining_s, state.remaining_s) if seconds]
    return " · ".join(part for part in (came, written, rate, time_left(max(rests)) if rests else "") if part)


def _done(state: Running | Paused) -> str:
    return f"{bytes_in_words(state.done_bytes)} of {bytes_in_words(state.total_bytes)}"


def share(state: JobState) -> float:
    """Return how much of a download is done, from 0 to 1."""
    match state:
        case Running(done, total) | Paused(done, total):
            return min(done / total, 1.0) if total else 0.0
        case Done():
            return 1.0
        case _:
            return 0.0


def address(path: str) -> str:
    """Return where a browser finds a page of the Hub, or of the mirror in use."""
    return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/{path}"
