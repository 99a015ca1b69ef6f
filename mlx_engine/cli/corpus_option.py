"""What the commands that measure are told about texts."""

from pathlib import Path

import msgspec

from mlx_engine.cli import job
from mlx_engine.cli.views.job import StatusView, show_all
from mlx_engine.cli.views.study import describe_fetch
from mlx_engine.errors import BadCorpus
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import DatasetFetched, FetchDataset
from mlx_engine.measure.corpus.corpus import BUILTIN, load_corpus
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.models.hub.datasets import NAMES, find_local, is_dataset, parse_dataset


def chosen(name: str) -> CorpusSource:
    """Return Facet's own corpus for "facet", parts of it for "facet:code,prose", a data set for "wikitext-2" or
    "hub:…", or else the file of that name.
    """
    if name == BUILTIN:
        return CorpusSource()
    if name.startswith(f"{BUILTIN}:"):
        return CorpusSource(kinds=tuple(name.removeprefix(f"{BUILTIN}:").split(",")))
    return CorpusSource(dataset=name) if is_dataset(name) else CorpusSource(path=str(Path(name).absolute()))


def check(choice: CorpusSource, folders: Folders) -> None:
    """See that there is something to read, before anything takes long. What is still to be fetched only needs a name.

    Raises:
        BadCorpus: there is no such text, or it cannot be read.
    """
    if choice.path and not Path(choice.path).exists():
        raise BadCorpus(
            f"There is no file {choice.path}. Use a file, {BUILTIN}, {BUILTIN}:code,prose, {', '.join(NAMES)}, or "
            "hub:OWNER/NAME/path/of/the/file.txt."
        )
    if choice.dataset and find_local(parse_dataset(choice.dataset), folders.datasets) is None:
        return
    load_corpus(choice, folders.datasets)


def here(choice: CorpusSource, folders: Folders) -> CorpusSource:
    """Return the choice with its data set on this machine, at the commit that was fetched now or before.

    Raises:
        BadCorpus: there is no such text, or it cannot be read.
        JobError: the Hub does not give it.
    """
    if choice.dataset:
        choice = msgspec.structs.replace(choice, dataset=_fetched(choice.dataset, folders))
    check(choice, folders)
    return choice


def _fetched(name: str, folders: Folders) -> str:
    """Return the name of the data set with its commit, once it is here."""
    if found := find_local(parse_dataset(name), folders.datasets):
        return str(found[0])
    view = StatusView(lambda event: f"{name}: {describe_fetch(event)}")
    end = show_all(job.run(FetchDataset("", name), folders), view)
    assert isinstance(end, DatasetFetched)  # noqa: S101 - the last event of a text that was fetched
    return end.dataset
