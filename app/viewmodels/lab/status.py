"""The status of a study, as text and as a share."""

from dataclasses import dataclass

import msgspec

from app.viewmodels.lab.format import StepProgress
from mlx_engine.amounts import format_count, format_estimate
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Step, Study, remaining


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """Status text and completed share, from 0 to 1; `start_label` is the button's, "" if there is nothing to start."""

    text: str
    share: float = 0.0
    is_running: bool = False
    start_label: str = ""


def waiting(reason: str, share: float) -> StudyStatus:
    """Return the status of a queued study; `reason` follows "Waiting for"."""
    return StudyStatus(f"Waiting for {reason}.", share, is_running=True)


def running(study: Study, step: Step, progress: StepProgress, left_s: float, *, slowdown: str) -> StudyStatus:
    """Return the status of the running study; `slowdown` is a sentence about other work, or ""."""
    name = short_names(study).get(step.label, step.label)
    text = f"{name} · {progress.step.text} · {format_estimate(left_s)} left"
    return StudyStatus(f"{text}. {slowdown}" if slowdown else text, share_done(study, progress.share), is_running=True)


def idle(study: Study) -> StudyStatus:
    """Return the status of a study that is not running."""
    steps_left, failed = left_steps(study), sum(bool(row.failures) for row in study.rows)
    if failed:
        text = f"Couldn't measure everything for {format_count(failed, 'model')}. See the details below."
        more = f" {_describe_rest(study)}" if steps_left else ""
        return StudyStatus(f"{text}{more}", share_done(study), start_label="Try Again")
    if steps_left:
        return StudyStatus(f"Paused: {_describe_rest(study)}", share_done(study), start_label="Resume")
    disturbed = sum(bool(row.speed and row.speed.disturbed) for row in study.rows)
    if disturbed:
        models = format_count(disturbed, "model")
        text = f"Done, but the speed of {models} is unreliable (*), because something else was running."
        return StudyStatus(text, 1.0, start_label="Measure Again")
    return StudyStatus("Done", 1.0)


def left_steps(study: Study) -> int:
    return sum(1 for _ in remaining(study))


def share_done(study: Study, of_step: float = 0.0) -> float:
    """Return the completed share of a study; `of_step` is that of the current step."""
    total = _total_steps(study)
    return min((total - left_steps(study) + of_step) / max(total, 1), 1.0)


def _describe_rest(study: Study) -> str:
    return f"{left_steps(study)} of {format_count(_total_steps(study), 'step')} left."


def _total_steps(study: Study) -> int:
    """Return the number of steps of the study from its start."""
    rows = (
        msgspec.structs.replace(row, fidelity=(), speed=None, failures=(), exists=row.recipe is None)
        for row in study.rows
    )
    return left_steps(msgspec.structs.replace(study, rows=tuple(rows), dataset="", reference_folder=""))
