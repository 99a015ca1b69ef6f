"""`facet lab`: runs, shows and reports studies."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from mlx_engine.cli import corpus_option, recipe_option
from mlx_engine.cli.lab_predictions import predictions
from mlx_engine.cli.model_lookup import AddedFolders, roots, suggest_pull
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import FAILED
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.study import list_fields, list_table, row_fields, table, verdict_lines
from mlx_engine.cli.views.study_progress import TerminalStudyRun
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

lab = App(name="lab", help="Run studies that compare quantizations with their original.")
lab.command(predictions)


@lab.command
def run(
    plan: Path,
    /,
    *,
    folder: AddedFolders = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Run or resume the study of a plan.

    Creates missing conversions and measures all models, one at a time. A step that fails is reported, and the others
    continue. Control-C pauses the study; run the same command to resume it, even if the plan has other candidates,
    recipes or gates.

    If the plan has gates (limits), the best candidate within them is reported. The exit code is 1 if no candidate
    passes or a step fails. A plan:

    ```json
    {"name": "Llama for 8 GB", "original": "Llama-3.2-3B-Instruct",
     "recipes": ["8bit", "balanced-4bit"],
     "gates": {"max_mean_kl": 0.05, "max_memory_bytes": 8000000000,
               "prefer": "fastest"}}
    ```

    Args:
        plan: A .json file; docs/measuring.md describes its fields. File names in it are relative to its folder.
        folder: Also look for models in this folder. Can be repeated.
        json: Write JSON, one object per line: each model as soon as it is complete, then the best within limits.
    """
    folders = Folders.from_environment()
    study = _study(read_plan(plan), folder, folders)
    try:
        study = TerminalStudyRun(study, folders, on_row=_write_row if json else None).run()
    except KeyboardInterrupt:
        terminal.note("Paused. Results are saved. To resume, run the same command again.\n")
        raise
    if not json:
        return _show(study)
    return _write_verdict(study)


@lab.command
def show(study: str, /, *, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> int:
    """Show the results of a study.

    The exit code is 1 if the study has gates that no candidate passes, or if a step failed.

    Args:
        study: Name of the study, or the beginning of it.
        json: Write JSON, one object per line: each model, then the best within limits.
    """
    result = _find(study)
    if not json:
        return _show(result)
    for row in result.rows:
        _write_row(result, row)
    return _write_verdict(result)


@lab.command
def report(  # noqa: PLR0913 - the options of a command
    study: str,
    /,
    *,
    html: Path | None = None,
    markdown: Path | None = None,
    json: Path | None = None,
    csv: Path | None = None,
    card: Annotated[str, Parameter(show_default=False)] = "",
    with_texts: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    force: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Write a report of a study. Without options, writes Markdown to standard output.

    Reports contain no folder names. They quote your own text files only with --with-texts, and never past chats.

    Args:
        study: Name of the study, or the beginning of it.
        html: Write a self-contained HTML file with tables, charts, largest differences and method.
        markdown: Write a Markdown file with the table and the method.
        json: Write a JSON file with all results.
        csv: Write a CSV file with the table.
        card: Write the results of this model to standard output, as a section for its model card.
        with_texts: Quote the text at the largest differences, even if it is your own file.
        force: Replace existing files.
    """
    result = _find(study)
    options: dict[Form, Path | None] = {"html": html, "markdown": markdown, "json": json, "csv": csv}
    files = {form: file for form, file in options.items() if file}
    if not force:
        _refuse_existing(files.values())
    for form, file in files.items():
        write(result, form, file, with_texts=with_texts)
        terminal.note(f"Saved {file}\n")
    if card:
        terminal.write(as_card(_row(result, card)))
    elif not files:
        terminal.write(as_markdown(subject(result, with_texts=with_texts)))


def _refuse_existing(files: Iterable[Path]) -> None:
    """Check all files before any of them is written."""
    if existing := next((file for file in files if file.is_file()), None):
        raise NotWritten(f"{existing} already exists. Add --force to replace it, or choose another file.")


def _row(study: Study, label: str) -> Row:
    rows = {row.label: row for row in study.rows} | {row.label.rpartition("/")[2]: row for row in study.rows}
    if label not in rows:
        models = ", ".join(row.label for row in study.rows)
        raise InvalidParameter(f"The study does not contain {label}. It contains {models}.")
    return rows[label]


@lab.command(name="list")
def list_studies(*, json: Annotated[bool, Parameter(negative=(), show_default=False)] = False) -> None:
    """List the studies with their originals, candidates and status.

    Args:
        json: Write JSON, one object per line.
    """
    studies = sorted(all_studies(Folders.from_environment().studies), key=lambda study: study.created)
    if json:
        for study in studies:
            write_json(list_fields(study))
    elif studies:
        terminal.write(list_table(studies))
    else:
        terminal.note("No studies yet. Start one with `facet lab run PLAN.json`; docs/measuring.md has an example.\n")


@lab.command
def delete(study: str, /) -> None:
    """Delete a study. Its models and their individual results are kept.

    Args:
        study: Full name of the study.
    """
    root = Folders.from_environment().studies
    delete_study(load_study(study, root).plan.name, root)
    terminal.note(f"Deleted {study}.\n")


def _study(plan: StudyPlan, additional: AddedFolders, folders: Folders) -> Study:
    """Return the saved study with the name of the plan, updated to the plan, or else a new study."""

    def find(name: str) -> ModelDescription | BrokenDescription:
        try:
            return library.find_row_or_path(roots(additional), name)
        except ModelNotFound as error:
            raise suggest_pull(error, name) from error

    saved = find_study(plan.name, folders.studies)
    if saved and saved.plan.name != plan.name:
        raise InvalidPlan(f"The study {saved.plan.name} uses the same file name as {plan.name}. Choose another name.")
    if saved and saved.plan == plan:
        return ready_to_retry(saved)
    study = new_study(
        plan,
        find=find,
        recipe=recipe_option.find_recipe,
        models=folders.models,
        reference=lambda name: find_reference(folders.references, plan.reference_request(name)),
    )
    if saved:
        study = ready_to_retry(merge_results(study, saved))
    if not study.reference_folder:
        corpus_option.check_corpus(plan.corpus, folders)
    return study


def _find(name: str) -> Study:
    """Return the study with this name, or the only one whose name starts with it."""
    root = Folders.from_environment().studies
    names = [study.plan.name for study in all_studies(root)]
    if name and name not in names:
        matches = [match for match in names if match.casefold().startswith(name.casefold())]
        if len(matches) > 1:
            raise InvalidParameter(f"Several studies match {name}: {', '.join(matches)}. Use the full name.")
        name = matches[0] if matches else name
    return load_study(name, root)


def _write_row(study: Study, row: Row) -> None:
    write_json(row_fields(study, row))


def _write_verdict(study: Study) -> int:
    verdict = judge(study, study.plan.gates) if study.plan.gates else None
    if verdict:
        best = verdict.best.label if verdict.best else None
        write_json({"best": best, "obstacles": verdict.obstacles})
    return _exit_code(study, verdict)


def _show(study: Study) -> int:
    verdict = judge(study, study.plan.gates) if study.plan.gates else None
    terminal.write(table(study))
    if verdict:
        terminal.write("".join(f"{line}\n" for line in verdict_lines(study, verdict)))
    return _exit_code(study, verdict)


def _exit_code(study: Study, verdict: GateVerdict | None) -> int:
    has_failed = any(row.failures for row in study.rows)
    return FAILED if has_failed or (verdict and verdict.best is None) else 0
