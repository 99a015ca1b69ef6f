"""`facet lab`: runs studies and shows them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from mlx_engine.cli import corpus_option, recipe_option
from mlx_engine.cli.lab_answers import answers
from mlx_engine.cli.model_lookup import AddedFolders, roots, suggest_pull
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import FAILED
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.study import judgement_lines, list_fields, list_table, row_fields, table
from mlx_engine.cli.views.study_progress import StudyCourse
from mlx_engine.errors import InvalidParameter, InvalidPlan, ModelNotFound, NotWritten
from mlx_engine.folders import Folders
from mlx_engine.measure.report.files import Form, write
from mlx_engine.measure.report.markdown import card as as_card
from mlx_engine.measure.report.markdown import markdown as as_markdown
from mlx_engine.measure.report.subject import subject
from mlx_engine.measure.results.references import find_reference
from mlx_engine.measure.study.gates import GateVerdict, judge
from mlx_engine.measure.study.merge_plan import merge_results
from mlx_engine.measure.study.plan import StudyPlan, read_plan
from mlx_engine.measure.study.study import Row, Study, ready_to_retry
from mlx_engine.measure.study.study_file import all_studies, delete_study, find_study, load_study, new_study
from mlx_engine.models.description.description import BrokenDescription, ModelDescription
from mlx_engine.models.library import library

lab = App(name="lab", help="Run studies: one original, its quantizations, and what each of them costs.")
lab.command(answers)


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
    the rest goes on. Control-C stops it; the same command goes on, also with candidates, recipes or gates changed.

    With gates in the plan, the winner is named. The exit code is 1 if there is none, and if a step has failed. A plan:

    ```json
    {"name": "Llama for 8 GB", "original": "Llama-3.2-3B-Instruct",
     "recipes": ["8bit", "balanced-4bit"],
     "gates": {"max_mean_kl": 0.05, "max_memory_bytes": 8000000000,
               "prefer": "fastest"}}
    ```

    Args:
        plan: A .json file; docs/measuring.md has all its fields. Files that it names lie beside it.
        folder: Look for models in this folder as well.
        json: Write one JSON object a model as soon as all of it is measured, then the judgement.
    """
    folders = Folders.from_environment()
    study = _study(read_plan(plan), folder, folders)
    try:
        study = StudyCourse(study, folders, on_row=_write_row if json else None).run()
    except KeyboardInterrupt:
        terminal.note("Stopped. What was measured is kept; the same command goes on.\n")
        raise
    if not json:
        return _tell(study)
    return _tell_judgement(study)


@lab.command
def show(study: str, /, *, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> int:
    """Show what a study has found.

    The exit code is 1 if its gates have no winner, and if a step has failed.

    Args:
        study: Its name, or how it begins.
        json: Write one JSON object a model, then the judgement.
    """
    found = _named(study)
    if not json:
        return _tell(found)
    for row in found.rows:
        _write_row(found, row)
    return _tell_judgement(found)


@lab.command
def report(  # noqa: PLR0913 - the options of a command
    study: str,
    /,
    *,
    html: Path | None = None,
    markdown: Path | None = None,
    json: Path | None = None,
    csv: Path | None = None,
    card: str = "",
    with_texts: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    force: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Write what a study has found, for others; without a file, Markdown to standard output.

    Folders of this machine are left out, and so is a text of your own. Past chats are never quoted.

    Args:
        study: Its name.
        html: Write one HTML file that stands alone: tables, charts, worst positions, how it was measured.
        markdown: Write the table and how it was measured, for a page or a model's card.
        json: Write everything, for programs.
        csv: Write the table, for programs.
        card: Write what was found of this model alone to standard output, as a section for its card.
        with_texts: Quote the places where models are farthest apart, although the text is a file of your own.
        force: Replace files that are there.
    """
    found = _named(study)
    named: dict[Form, Path | None] = {"html": html, "markdown": markdown, "json": json, "csv": csv}
    wanted = {form: file for form, file in named.items() if file}
    if not force:
        _keep_others(wanted.values())
    for form, file in wanted.items():
        write(found, form, file, with_texts=with_texts)
        terminal.note(f"Written: {file}\n")
    if card:
        terminal.write(as_card(_row(found, card)))
    elif not wanted:
        terminal.write(as_markdown(subject(found, with_texts=with_texts)))


def _keep_others(files: Iterable[Path]) -> None:
    """Refuse to write over a file before anything is written."""
    if there := next((file for file in files if file.is_file()), None):
        raise NotWritten(f"{there} is there already. Add --force to replace it, or name another file.")


def _row(study: Study, label: str) -> Row:
    rows = {row.label: row for row in study.rows} | {row.label.rpartition("/")[2]: row for row in study.rows}
    if label not in rows:
        raise InvalidParameter(f"The study has no {label}. It has {', '.join(row.label for row in study.rows)}.")
    return rows[label]


@lab.command(name="list")
def list_studies(*, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> None:
    """List the studies: name, original, candidates, what is left to be done.

    Args:
        json: Write one JSON object a study.
    """
    studies = sorted(all_studies(Folders.from_environment().studies), key=lambda study: study.created)
    if json:
        for study in studies:
            write_json(list_fields(study))
    elif studies:
        terminal.write(list_table(studies))
    else:
        terminal.note("There are no studies yet. `facet lab run PLAN.json` begins one; docs/measuring.md has a plan.\n")


@lab.command
def delete(study: str, /) -> None:
    """Delete a study and its table. Models that were made for it stay, and what was measured of each model.

    Args:
        study: Its whole name.
    """
    root = Folders.from_environment().studies
    delete_study(load_study(study, root).plan.name, root)
    terminal.note(f"Deleted {study}.\n")


def _study(plan: StudyPlan, further: AddedFolders, folders: Folders) -> Study:
    """Return the study of that name if it has the same plan, else a new one."""

    def find(name: str) -> ModelDescription | BrokenDescription:
        try:
            return library.find_row_or_path(roots(further), name)
        except ModelNotFound as error:
            raise suggest_pull(error, name) from error

    kept = find_study(plan.name, folders.studies)
    if kept and kept.plan.name != plan.name:
        raise InvalidPlan(
            f"The study {kept.plan.name} is kept in the file that {plan.name} would have. Choose another name."
        )
    if kept and kept.plan == plan:
        return ready_to_retry(kept)
    study = new_study(
        plan,
        find=find,
        recipe=recipe_option.find_recipe,
        models=folders.models,
        kept=lambda name: find_reference(folders.references, plan.reference_request(name)),
    )
    if kept:
        study = ready_to_retry(merge_results(study, kept))
    if not study.reference_folder:
        corpus_option.check(plan.corpus, folders)
    return study


def _named(name: str) -> Study:
    """Return the kept study that a person calls so: by its name, or the beginning of one."""
    root = Folders.from_environment().studies
    names = [study.plan.name for study in all_studies(root)]
    if name not in names:
        begun = [one for one in names if one.casefold().startswith(name.casefold())]
        if len(begun) > 1 and name:
            raise InvalidParameter(f"Several studies begin with {name}: {', '.join(begun)}. Say which.")
        name = begun[0] if begun and name else name
    return load_study(name, root)


def _write_row(study: Study, row: Row) -> None:
    write_json(row_fields(study, row))


def _tell_judgement(study: Study) -> int:
    judgement = judge(study, study.plan.gates) if study.plan.gates else None
    if judgement:
        winner = judgement.winner.label if judgement.winner else None
        write_json({"winner": winner, "obstacles": judgement.obstacles})
    return _code(study, judgement)


def _tell(study: Study) -> int:
    judgement = judge(study, study.plan.gates) if study.plan.gates else None
    terminal.write(table(study))
    if judgement:
        terminal.write("".join(f"{line}\n" for line in judgement_lines(study, judgement)))
    return _code(study, judgement)


def _code(study: Study, judgement: GateVerdict | None) -> int:
    has_failed = any(row.failures for row in study.rows)
    return FAILED if has_failed or (judgement and judgement.winner is None) else 0
