"""`facet lab predictions`: lists and deletes the stored predictions of originals."""

from typing import Annotated

from cyclopts import Parameter

from mlx_engine.amounts import format_disk
from mlx_engine.cli.views import terminal
from mlx_engine.cli.views.json_lines import write_json
from mlx_engine.errors import InvalidParameter
from mlx_engine.folders import Folders
from mlx_engine.measure.results.references import StoredReference, delete_reference, stored_references


def predictions(
    *,
    delete: Annotated[str, Parameter(show_default=False)] = "",
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """List or delete the stored predictions of originals.

    Results stay; for new measurements, the original has to read the text again. At most 5 GB are stored: beyond that,
    the least recently used predictions are deleted.

    Args:
        delete: The beginning of a key, the name of a model, or "all".
        json: Write JSON, one object per line, for each stored or deleted entry.
    """
    references = list(stored_references(Folders.from_environment().references))
    if not references:
        terminal.note("No stored predictions.\n")
    selection = [reference for reference in references if not delete or _matches(reference, delete)]
    if references and not selection:
        raise InvalidParameter(f"No stored predictions match {delete}. List them with `facet lab predictions`.")
    for reference in selection:
        if delete:
            delete_reference(reference)
        if json:
            write_json(_fields(reference))
        else:
            terminal.write(f"{'Deleted ' if delete else ''}{_line(reference)}\n")


def _matches(reference: StoredReference, text: str) -> bool:
    name = reference.header.model if reference.header else ""
    return text == "all" or reference.folder.name.startswith(text) or text in (name, name.rpartition("/")[2])


def _fields(reference: StoredReference) -> dict[str, object]:
    header = reference.header
    return {
        "key": reference.folder.name,
        "size_bytes": reference.size_bytes,
        "model": header.model if header else None,
        "corpus": header.corpus if header else None,
        "chunks": len(header.kinds) if header else None,
        "is_stand_in": header.is_stand_in if header else None,
        "is_complete": reference.is_complete,
    }


def _line(reference: StoredReference) -> str:
    header = reference.header
    name = header.model if header else "damaged, or from another version of Facet"
    line = f"{reference.folder.name[:8]}  {format_disk(reference.size_bytes):>8}  {name}"
    if header is None:
        return line
    line += f"  {header.corpus}, {len(header.kinds)} {header.convention.text}"
    return line + (", stand-in" if header.is_stand_in else "") + ("" if reference.is_complete else ", incomplete")
