"""How a study stands, in a sentence and as a share."""

from dataclasses import dataclass

import msgspec

from app.viewmodels.lab.format import StepProgress
from mlx_engine.amounts import format_estimate
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Step, Study, remaining


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """`share` is how much of the study is done, from 0 to 1; `start` is what the button that goes on says, "" if there
    is nothing to go on with.
    """

    words: str
    share: float = 0.0
    is_running: bool = False
    start: str = ""


def waiting(until: str, share: float) -> StudyStatus:
    """Say for what it waits."""
    return StudyStatus(f"Waits until {until}.", share, is_running=True)


def running(study: Study, step: Step, progress: StepProgress, left_s: float, *, remark: str) -> StudyStatus:
    """Say what is done; `remark` is a sentence about what runs beside it."""
    name = short_names(study).get(step.label, step.label)
    words = f"{name} · {progress.present.words} · {format_estimate(left_s)} left"
    return StudyStatus(f"{words}. {remark}" if remark else words, share_done(study, progress.share), is_running=True)


def idle(study: Study) -> StudyStatus:
    """Say what is left to do, or else that nothing is."""
    left, failed = left_steps(study), sum(bool(row.failures) for row in study.rows)
    if failed:
        models = "One model" if failed == 1 else f"{failed} models"
        more = f" {_left(study)}" if left else ""
        return StudyStatus(
            f"{models} could not be measured in full: see below why.{more}", share_done(study), start="Try again"
        )
    if left:
        return StudyStatus(f"Paused: {_left(study)}", share_done(study), start="Resume")
    disturbed = sum(bool(row.speed and row.speed.disturbed) for row in study.rows)
    if disturbed:
        models = "one model" if disturbed == 1 else f"{disturbed} models"
        words = (
            f"All is measured. Something else was running while the speed of {models} was: those figures have a star."
        )
        return StudyStatus(words, 1.0, start="Measure again")
    return StudyStatus("All is measured.", 1.0)


def left_steps(study: Study) -> int:
    return sum(1 for _ in remaining(study))


def share_done(study: Study, of_step: float = 0.0) -> float:
    """Return how much of the study is done, `of_step` being how much of the present step is."""
    whole = _whole(study)
    return min((whole - left_steps(study) + of_step) / max(whole, 1), 1.0)


def _left(study: Study) -> str:
    left = left_steps(study)
    return f"{left} of {_whole(study)} steps {'is' if left == 1 else 'are'} left."


def _whole(study: Study) -> int:
    """Return how many steps the study has from beginning to end."""
    bare = (
        msgspec.structs.replace(row, fidelity=(), speed=None, failures=(), is_made=row.recipe is None)
        for row in study.rows
    )
    return left_steps(msgspec.structs.replace(study, rows=tuple(bare), dataset="", reference_folder=""))
