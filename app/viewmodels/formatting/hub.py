"""Licenses, sizes and jobs of the Hub as text, and URLs of its pages."""

import os
import re
from collections.abc import Mapping

from mlx_engine.amounts import format_disk, format_disk_rate, format_estimate, format_progress, format_short_count
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.hub_messages import FileProgress
from mlx_engine.models.description.size_class import size_class
from mlx_engine.quantize.plan.messages import SourceProgress

LICENSES: Mapping[str, str] = {
    "apache-2.0": "Apache 2.0",
    "mit": "MIT",
    "gemma": "Gemma",
    "llama3.2": "Llama 3.2",
    "llama3.1": "Llama 3.1",
    "llama3.3": "Llama 3.3",
    "cc-by-4.0": "CC BY 4.0",
    "cc-by-nc-4.0": "CC BY-NC 4.0",
    "other": "Other license",
}
"""Display names of licenses, by the Hub's identifiers."""
_model_url = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([\w.-]+/[\w.-]+?)/?(?:[/?#].*)?", re.ASCII)
_other_kinds = frozenset({"api", "blog", "collections", "datasets", "docs", "models", "papers", "spaces", "tasks"})
"""First parts of paths on the Hub that are not owners of models."""


def format_license(name: str) -> str:
    return LICENSES.get(name, name) or "license unknown"


def format_parameters(parameters: int) -> str:
    """Format size class and number of parameters: "small · 4.02B"; "" if unknown."""
    return f"{size_class(parameters)} · {format_short_count(parameters)}" if parameters else ""


def format_file_progress(file: FileProgress) -> str:
    return f"{file.name}  {format_progress(file.done_bytes, file.total_bytes)}"


def format_job(state: JobState) -> str:
    """Format the state of a download or upload as one line."""
    match state:
        case Queued():
            return "Waiting"
        case Running():
            return _running(state)
        case Paused():
            return f"Paused · {_amount(state)}" if state.total_bytes else "Paused"
        case Done():
            return f"Ready · {format_disk(state.size_bytes)}, every file verified"
        case Failed():
            return state.title


def _running(state: Running) -> str:
    if not state.total_bytes:
        return state.notice or "Getting the list of files…"
    if state.notice:
        return f"{_amount(state)} · {state.notice}"
    rate = format_disk_rate(state.bytes_per_s) if state.bytes_per_s else ""
    remaining = "" if state.remaining_s is None else f"{format_estimate(state.remaining_s)} left"
    return " · ".join(part for part in (_amount(state), rate, remaining) if part)


def format_streamed_conversion(state: Running, source: SourceProgress) -> str:
    """Format the progress of a conversion during its download; the time left is that of the slower one."""
    downloaded = f"{format_progress(source.done_bytes, source.total_bytes)} downloaded"
    written = f"{_amount(state)} written"
    if state.notice:
        return f"{downloaded} · {written} · {state.notice}"
    is_downloading = source.done_bytes < source.total_bytes
    rate = format_disk_rate(source.bytes_per_s) if is_downloading and source.bytes_per_s else ""
    remaining_s = max(source.remaining_s or 0, state.remaining_s or 0)
    remaining = f"{format_estimate(remaining_s)} left" if remaining_s else ""
    return " · ".join(part for part in (downloaded, written, rate, remaining) if part)


def _amount(state: Running | Paused) -> str:
    return format_progress(state.done_bytes, state.total_bytes)


def job_progress(state: JobState) -> float:
    """Return the completed share of a job, from 0 to 1."""
    match state:
        case Running(done, total) | Paused(done, total):
            return min(done / total, 1.0) if total else 0.0
        case Done():
            return 1.0
        case _:
            return 0.0


def page_url(path: str) -> str:
    """Return the URL of a page of the Hub, or of the mirror in use."""
    return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/{path}"


def repository_from_url(text: str) -> str:
    """Return `<owner>/<name>` if `text` is the URL of a model on the Hub, otherwise ""."""
    match = _model_url.fullmatch(text.strip())
    return match[1] if match and match[1].partition("/")[0] not in _other_kinds else ""
