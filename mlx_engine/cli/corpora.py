"""What the commands that measure are told about texts."""

from pathlib import Path

from mlx_engine.measure.messages import CorpusChoice

OWN = "facet"


def chosen(name: str) -> CorpusChoice:
    """Return Facet's own corpus for "facet", parts of it for "facet:code,prose", or else the file of that name."""
    if name == OWN:
        return CorpusChoice()
    if name.startswith(f"{OWN}:"):
        return CorpusChoice(kinds=tuple(name.removeprefix(f"{OWN}:").split(",")))
    return CorpusChoice(path=str(Path(name).absolute()))
