"""`facet publish`: uploads a conversion to the Hugging Face Hub."""

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_count, format_disk
from mlx_engine.cli.job import JobSubprocess
from mlx_engine.cli.model_lookup import AddedFolders, roots
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.failure import FAILED, UsageError
from mlx_engine.cli.views.job import JobJsonView, JobView, show_resumable
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.cli.views.publish import PublishTextView
from mlx_engine.errors import NameTaken, StorageError
from mlx_engine.folders import Folders
from mlx_engine.models.hub.upload_messages import CardDraft, DraftCard, InspectTarget, Publish, PublishTarget
from mlx_engine.models.library import library
from mlx_engine.quantize.publish.publish import license_of, license_warning


def publish(  # noqa: PLR0913 - the options of the verb
    model: str,
    repository: Annotated[str, Parameter(show_default=False)] = "",
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
    """Publish a conversion on the Hugging Face Hub, with a model card.

    Uploads weights, configuration, tokenizer, model card and facet.json, without any information about your Mac.
    Lists the files and asks for confirmation first. Control-C stops the upload; run the same command to resume it. The
    URL of the repository is written to standard output. Needs an access token with write permission, from the
    Keychain, HF_TOKEN or `hf auth login`.

    Args:
        model: Name, id or folder of a conversion.
        repository: OWNER/NAME on the Hub. Default: the name of the model, in your account.
        public: Make the repository public. Default: private.
        license: License identifier of the Hub, such as apache-2.0, if the base model's license is unknown.
        card: Upload this Markdown file instead of the generated model card.
        update: Replace a different model in the repository.
        dry_run: Print the model card without uploading anything.
        folder: Also look in this folder. Can be repeated.
        yes: Publish without confirmation.
        json: Write JSON, one object per line: the file list, progress and the result.
    """
    path = library.find_model(roots(folder), model).path
    with closing(JobSubprocess(Folders.from_environment(), needs_network=True)) as process:
        draft = _draft(process, path, repository, license)
        text = _read_card(card) if card else draft.card
        if dry_run:
            terminal.write(text)
            return 0
        request = InspectTarget(
            id="inspect", folder=str(path), repository=draft.repository, card=text, is_public=public
        )
        target = next(process.run(request))
        assert isinstance(target, PublishTarget)  # noqa: S101 - the only reply to this request
        if target.contents == "another model" and not update:
            raise NameTaken(
                f"{target.repository} contains a different model. Choose another name, or add --update to replace it."
            )
        if json:
            write_json(target)
        warnings = filter(None, (license_warning(license_of(text)), *draft.warnings))
        if not yes and not _confirm(target, warnings):
            return FAILED
        _upload(process, path, target, text, JobJsonView() if json else PublishTextView(), update=update)
    return 0


def _draft(process: JobSubprocess, path: Path, repository: str, license: str) -> CardDraft:
    draft = next(process.run(DraftCard(id="draft", folder=str(path), repository=repository, license=license)))
    assert isinstance(draft, CardDraft)  # noqa: S101 - as above
    return draft


def _read_card(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text file"
        raise StorageError(f"Couldn't read the model card {file}: {reason}.") from error


def _confirm(target: PublishTarget, warnings: Iterable[str]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Publishing needs confirmation. Add --yes to publish without asking.")
    terminal.note(_summary(target, warnings))
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _summary(target: PublishTarget, warnings: Iterable[str]) -> str:
    """Return the repository and all files of the upload, with the confirmation prompt."""
    effect = {"nothing": "new", "this model": "update", "another model": "replaces a different model"}[target.contents]
    visibility = "public" if target.is_public else "private"
    files = format_count(len(target.files), "file")
    lines = [
        f"Account     {target.account}",
        f"Repository  {target.repository} ({effect})",
        f"Visibility  {visibility}",
        *(f"  {file.name:40} {format_disk(file.size_bytes):>9}" for file in target.files),
        *warnings,
        f"Upload {files} ({format_disk(target.total_bytes)}) to the Hugging Face Hub? [y/N] ",
    ]
    return "\n".join(lines)


def _upload(
    process: JobSubprocess, path: Path, target: PublishTarget, card: str, view: JobView, *, update: bool
) -> None:
    request = Publish(
        id="publish",
        folder=str(path),
        repository=target.repository,
        card=card,
        is_public=target.is_public,
        updates=update,
    )
    show_resumable(process.run(request), view)
