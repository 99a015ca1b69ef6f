"""`facet lab`: runs studies and shows them."""

import queue
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from mlx_engine.cli import corpora, recipe_option, terminal
from mlx_engine.cli.failure import FAILED
from mlx_engine.cli.json_lines import write_json
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.cli.study_view import judgement_lines, progress_line, table
from mlx_engine.engine.job_messages import JobEvent
from mlx_engine.engine.study_run import StudyParcel, StudyRun
from mlx_engine.errors import InvalidParameter
from mlx_engine.folders import Folders
from mlx_engine.measure.gates import judge
from mlx_engine.measure.kept_answers import KeptAnswers, kept_answers
from mlx_engine.measure.kept_answers import delete as delete_answers
from mlx_engine.measure.kept_answers import find as find_answers
from mlx_engine.measure.plan import Plan, read_plan
from mlx_engine.measure.report.files import Form, write
from mlx_engine.measure.report.markdown import card as as_card
from mlx_engine.measure.report.markdown import markdown as as_markdown
from mlx_engine.measure.report.subject import subject
from mlx_engine.measure.study import Row, Study, tried_again
from mlx_engine.measure.study_file import begin, kept_studies, kept_study, load
from mlx_engine.models import library
from mlx_engine.models.description import BrokenDescription, ModelDescription
from mlx_engine.models.memory import size_in_words

lab = App(name="lab", help="Run studies: one original, its quantizations, and what each of them costs.")


@lab.command
def run(
    plan: Path,
    /,
    *,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Run the study of a plan to its end, or go on with it where it was.

    Missing conversions are made, everything is measured, with one model in memory at a time. What fails is told, and
    the rest goes on. With gates in the plan, the winner is named; without one, the exit code is 1.

    Args:
        plan: A .json file; the documentation has an example.
        folder: Look for models in this folder as well.
        json: Write one JSON object a row when it is complete, then the judgement.
    """
    folders = Folders.from_environment()
    study = _study(read_plan(plan), folder, folders)
    study = _run(study, folders)
    return _tell(study, json=json)


@lab.command
def show(study: str, /, *, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> int:
    """Show what a study has found.

    Args:
        study: Its name.
        json: Write one JSON object a row.
    """
    return _tell(load(study, Folders.from_environment().studies), json=json)


@lab.command
def report(
    study: str,
    /,
    *,
    html: Path | None = None,
    markdown: Path | None = None,
    json: Path | None = None,
    csv: Path | None = None,
    card: str = "",
) -> None:
    """Write what a study has found, for others; without a file, Markdown to standard output.

    Args:
        study: Its name.
        html: Write one HTML file that stands alone: tables, charts, worst positions, how it was measured.
        markdown: Write the table and how it was measured, for a page or a model's card.
        json: Write everything, for programs.
        csv: Write the table, for programs.
        card: Write what was found of this model alone to standard output, as a section for its card.
    """
    found = load(study, Folders.from_environment().studies)
    wanted: dict[Form, Path | None] = {"html": html, "markdown": markdown, "json": json, "csv": csv}
    for form, file in wanted.items():
        if file:
            write(found, form, file)
            terminal.note(f"Written: {file}\n")
    if card:
        terminal.write(as_card(_row(found, card)))
    elif not any(wanted.values()):
        terminal.write(as_markdown(subject(found)))


def _row(study: Study, label: str) -> Row:
    rows = {row.label: row for row in study.rows} | {row.label.rpartition("/")[2]: row for row in study.rows}
    if label not in rows:
        raise InvalidParameter(f"The study has no {label}. It has {', '.join(row.label for row in study.rows)}.")
    return rows[label]


@lab.command(name="list")
def list_studies() -> None:
    """List the studies."""
    for study in kept_studies(Folders.from_environment().studies):
        terminal.write(f"{study.plan.name}  {study.original.label}, {len(study.candidates)} candidates\n")


@lab.command
def answers(*, delete: Annotated[str, Parameter(show_default=False)] = "") -> None:
    """List the kept answers of originals, with their sizes, or delete some of them.

    What was measured against them stays; to measure more, the original has to read again. Together they take 5 GB at
    most, after which those go that were used longest ago.

    Args:
        delete: The beginning of a key, the name of a model, or "all".
    """
    kept = list(kept_answers(Folders.from_environment().answers))
    for one in kept:
        name = one.header.model if one.header else "damaged, or of another version"
        if not delete:
            terminal.write(f"{_answers_line(one, name)}\n")
        elif delete == "all" or one.folder.name.startswith(delete) or delete in (name, name.rpartition("/")[2]):
            delete_answers(one)
            terminal.write(f"Deleted {one.folder.name[:8]}  {name}\n")


def _answers_line(kept: KeptAnswers, name: str) -> str:
    line = f"{kept.folder.name[:8]}  {size_in_words(kept.size_bytes):>8}  {name}"
    if kept.header is None:
        return line
    line += f"  {kept.header.corpus}, {len(kept.header.kinds)} {kept.header.convention.in_words}"
    return line + (", a stand-in" if kept.header.is_stand_in else "") + ("" if kept.is_whole else ", not complete")


def _study(plan: Plan, further: AddedFolders, folders: Folders) -> Study:
    """Return the study of that name if it has the same plan, else a new one."""

    def find(name: str) -> ModelDescription | BrokenDescription:
        return library.find_any(roots(further), name)

    kept = kept_study(plan.name, folders.studies)
    if kept and kept.plan.name != plan.name:
        raise InvalidParameter(
            f"The study {kept.plan.name} is kept in the file that {plan.name} would have. Choose another name."
        )
    if kept and kept.plan == plan:
        return tried_again(kept)
    study = begin(
        plan,
        find=find,
        recipe=recipe_option.named,
        models=folders.models,
        kept=lambda name: find_answers(folders.answers, plan.answers(name)),
    )
    if not study.answers:
        corpora.check(plan.corpus, folders)
    return study


def _run(study: Study, folders: Folders) -> Study:
    parcels: queue.SimpleQueue[StudyParcel] = queue.SimpleQueue()
    status = terminal.StatusLine()

    def show_progress(event: JobEvent) -> None:
        if work.step is not None:
            status.show(progress_line(work.step, event))

    work = StudyRun(study, post=parcels.put, on_event=show_progress, on_change=lambda: None, folders=folders)
    try:
        work.start()
        while work.step is not None:
            work.receive(parcels.get())
    finally:
        status.clear()
        work.close()
    return work.study


def _tell(study: Study, *, json: bool) -> int:
    judgement = judge(study, study.plan.gates) if study.plan.gates else None
    if json:
        for row in study.rows:
            write_json(msgspec.to_builtins(row))
        if judgement:
            winner = judgement.winner.label if judgement.winner else None
            write_json({"winner": winner, "obstacles": judgement.obstacles})
    else:
        terminal.write(table(study))
        if judgement:
            terminal.write("".join(f"{line}\n" for line in judgement_lines(judgement)))
    failed = any(row.failures for row in study.rows)
    return FAILED if failed or (judgement and judgement.winner is None) else 0
