"""Tests of the summary of background jobs."""

import pytest

from app.viewmodels.jobs.items import job_item
from app.viewmodels.jobs.summary import JobsSummary
from mlx_engine.engine.parents.job_queue import Job
from mlx_engine.engine.values.job_state import Done, Failed, JobState, Paused, Queued, Running
from mlx_engine.hub_messages import Download
from tests.app.viewmodels.jobs.test_queue import conversion

FAILED = Failed("NoSpace", "Not enough disk space", "Free up some space.")


def summary(conversions: list[JobState], downloads: list[JobState] | None = None) -> JobsSummary:
    jobs = [Job(conversion(f"Whale-{number}"), state) for number, state in enumerate(conversions)]
    jobs += [Job(Download(id=str(number), repository="a/b"), state) for number, state in enumerate(downloads or [])]
    return JobsSummary.of(map(job_item, jobs))


@pytest.mark.parametrize(
    ("states", "status", "activity"),
    [
        ([], "", ""),
        ([Done("", 1)], "All done", ""),
        ([FAILED], "1 failed", "1 job failed"),
        ([Done("", 1), FAILED], "1 failed", "1 job failed"),
        ([Queued(), Queued()], "2 remaining", "2 jobs waiting"),
        ([Paused(), FAILED], "1 remaining · 1 failed", "1 job failed · 1 paused"),
        ([Running(25, 100)], "1 remaining", "Quantizing · 25%"),
        ([Running(25, 100), Queued(), FAILED], "2 remaining · 1 failed", "Quantizing · 25% · 1 more · 1 failed"),
    ],
    ids=str,
)
def test_all_descriptions_agree(states: list[JobState], status: str, activity: str) -> None:
    """A failed job is neither remaining nor done."""
    description = summary(states)
    assert (description.status, description.activity) == (status, activity)


def test_different_tasks_share_one_verb() -> None:
    """The fraction is the mean of the running jobs."""
    mixed = summary([Running(25, 100)], [Running(75, 100)])
    assert (mixed.activity, mixed.fraction) == ("Working · 50%", 0.5)
