"""`facet lab answers`: lists what is kept of originals, and deletes it."""

from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_disk
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.errors import InvalidParameter
from mlx_engine.folders import Folders
from mlx_engine.measure.results.references import StoredReference, delete_reference, stored_references


def answers(
    *,
    delete: Annotated[str, Parameter(show_default=False)] = "",
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """List the kept answers of originals, with their sizes, or delete some of them.

    What was measured against them stays; to measure more, the original has to read again. Together they take 5 GB at
    most, after which those go that were used longest ago.

    Args:
        delete: The beginning of a key, the name of a model, or "all".
        json: Write one JSON object a line, of what is kept or was deleted.
    """
    kept = list(stored_references(Folders.from_environment().references))
    if not kept:
        terminal.note("No answers are kept.\n")
    chosen = [one for one in kept if not delete or _is_meant(one, delete)]
    if kept and not chosen:
        raise InvalidParameter(f"No answers are kept under {delete}. `facet lab answers` lists them.")
    for one in chosen:
        if delete:
            delete_reference(one)
        if json:
            write_json(_answers_fields(one))
        else:
            terminal.write(f"{'Deleted ' if delete else ''}{_answers_line(one)}\n")


def _is_meant(kept: StoredReference, word: str) -> bool:
    name = kept.header.model if kept.header else ""
    return word == "all" or kept.folder.name.startswith(word) or word in (name, name.rpartition("/")[2])


def _answers_fields(kept: StoredReference) -> dict[str, object]:
    header = kept.header
    return {
        "key": kept.folder.name,
        "size_bytes": kept.size_bytes,
        "model": header.model if header else None,
        "corpus": header.corpus if header else None,
        "chunks": len(header.kinds) if header else None,
        "is_stand_in": header.is_stand_in if header else None,
        "is_whole": kept.is_whole,
    }


def _answers_line(kept: StoredReference) -> str:
    name = kept.header.model if kept.header else "damaged, or of another version"
    line = f"{kept.folder.name[:8]}  {format_disk(kept.size_bytes):>8}  {name}"
    if kept.header is None:
        return line
    line += f"  {kept.header.corpus}, {len(kept.header.kinds)} {kept.header.convention.text}"
    return line + (", a stand-in" if kept.header.is_stand_in else "") + ("" if kept.is_whole else ", not complete")
