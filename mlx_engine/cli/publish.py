"""`facet publish`: puts a conversion on the Hugging Face Hub."""

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_count, format_disk
from mlx_engine.cli.job import Job
from mlx_engine.cli.roots import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import UsageError
from mlx_engine.cli.views.job import JobView, JsonView, show_resumable
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.publish import TextView
from mlx_engine.errors import NameTaken, StorageError
from mlx_engine.folders import Folders
from mlx_engine.models.hub.upload_messages import CardDraft, DraftCard, InspectTarget, Publish, PublishTarget
from mlx_engine.models.library import library
from mlx_engine.quantize.publish.publish import license_of, license_warning


def publish(  # noqa: PLR0913 - the options of the verb
    model: str,
    repository: str = "",
    /,
    *,
    public: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    license: Annotated[str, Parameter(show_default=False)] = "",
    card: Annotated[Path | None, Parameter(show_default=False)] = None,
    update: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    dry_run: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    folder: AddedFolders = (),
    yes: Annotated[bool, Parameter(alias="-y", negative=(), show_default=False)] = False,
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> int:
    """Put a conversion on the Hugging Face Hub, with a card that says what it is and how it was made.

    Weights, configuration, tokenizer, card and facet.json are sent, without anything about this machine. What is going
    to be sent is told first, and asked about. Control-C stops it; the same command goes on where it was. The address
    of the repository is written to standard output. The access token of the Keychain, HF_TOKEN or `hf auth login` must
    allow writing.

    Args:
        model: A conversion by name or id, or its folder.
        repository: OWNER/NAME on the Hub; without one, it is called like the model, below your account.
        public: Let everybody see it; otherwise it is private.
        license: The license as the Hub calls it ("apache-2.0"), if the one of the base model is not known.
        card: Send this Markdown file as the card instead of the one that Facet writes.
        update: Replace the model that the repository holds, if it is another one.
        dry_run: Only print the card.
        folder: Look into this folder as well.
        yes: Do not ask.
        json: Write one JSON object a line: what is going to be sent, the progress, the end.
    """
    path = library.find_model(roots(folder), model).path
    with closing(Job(Folders.from_environment(), needs_network=True)) as process:
        draft = _draft(process, path, repository, license)
        text = _read_card(card) if card else draft.card
        if dry_run:
            terminal.write(text)
            return 0
        look = InspectTarget(id="look", folder=str(path), repository=draft.repository, card=text, is_public=public)
        target = next(process.run(look))
        assert isinstance(target, PublishTarget)  # noqa: S101 - the one event that answers the question
        if target.contents == "another model" and not update:
            raise NameTaken(
                f"{target.repository} holds another model. Choose another name, or say --update to replace it."
            )
        if json:
            write_json(target)
        warnings = filter(None, (license_warning(license_of(text)), *draft.warnings))
        if not yes and not _agreed(target, warnings):
            return 1
        _send(process, path, target, text, JsonView() if json else TextView(), update=update)
    return 0


def _draft(process: Job, path: Path, repository: str, license: str) -> CardDraft:
    draft = next(process.run(DraftCard(id="draft", folder=str(path), repository=repository, license=license)))
    assert isinstance(draft, CardDraft)  # noqa: S101 - as above
    return draft


def _read_card(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StorageError(f"The card {file} cannot be read: {reason}.") from error


def _agreed(target: PublishTarget, warnings: Iterable[str]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here: say --yes to publish.")
    terminal.note(_question(target, warnings))
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _question(target: PublishTarget, warnings: Iterable[str]) -> str:
    """Return what is going to happen, with all that is going to be sent."""
    replaced = {"nothing": "new", "this model": "updated", "another model": "replaces another model"}[target.contents]
    visibility = "public: everybody can see it" if target.is_public else "private"
    files = format_count(len(target.files), "file")
    lines = [
        f"Account     {target.account}",
        f"Repository  {target.repository} ({replaced})",
        f"Visibility  {visibility}",
        *(f"  {file.name:40} {format_disk(file.size_bytes):>9}" for file in target.files),
        *warnings,
        f"Send {files}, {format_disk(target.total_bytes)}, to the Hugging Face Hub? [y/N] ",
    ]
    return "\n".join(lines)


def _send(process: Job, path: Path, target: PublishTarget, card: str, view: JobView, *, update: bool) -> None:
    request = Publish(
        id="publish",
        folder=str(path),
        repository=target.repository,
        card=card,
        is_public=target.is_public,
        updates=update,
    )
    show_resumable(process.run(request), view)
