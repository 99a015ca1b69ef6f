"""Finds the text that a command line names, and downloads it if needed."""

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


def parse_corpus(name: str) -> CorpusSource:
    """Return the source of a text.

    "facet" is Facet's own corpus, "facet:code,prose" are parts of it, "wikitext-2" and "hub:…" are data sets, and any
    other name is a file.
    """
    if name == BUILTIN:
        return CorpusSource()
    if name.startswith(f"{BUILTIN}:"):
        return CorpusSource(kinds=tuple(name.removeprefix(f"{BUILTIN}:").split(",")))
    return CorpusSource(dataset=name) if is_dataset(name) else CorpusSource(path=str(Path(name).absolute()))


def check_corpus(source: CorpusSource, folders: Folders) -> None:
    """Check that the text can be read. Of a data set that is not downloaded yet, only the name is checked.

    Raises:
        BadCorpus: the text does not exist or cannot be read.
    """
    if source.path and not Path(source.path).exists():
        raise BadCorpus(
            f"The file {source.path} does not exist. Use a file, {BUILTIN}, {BUILTIN}:code,prose, {', '.join(NAMES)}, "
            "or hub:OWNER/NAME/path/of/the/file.txt."
        )
    if source.dataset and find_local(parse_dataset(source.dataset), folders.datasets) is None:
        return
    load_corpus(source, folders.datasets)


def fetch_corpus(source: CorpusSource, folders: Folders) -> CorpusSource:
    """Download the data set of `source` if needed, and return the source with the commit of the data set.

    Raises:
        BadCorpus: the text does not exist or cannot be read.
        JobError: the download failed.
    """
    if source.dataset:
        source = msgspec.structs.replace(source, dataset=_fetch_dataset(source.dataset, folders))
    check_corpus(source, folders)
    return source


def _fetch_dataset(name: str, folders: Folders) -> str:
    """Download the data set if needed; return its name with its commit."""
    if local := find_local(parse_dataset(name), folders.datasets):
        return str(local[0])
    view = StatusView(lambda event: f"{name}: {describe_fetch(event)}")
    end = show_all(job.run(FetchDataset("", name), folders), view)
    assert isinstance(end, DatasetFetched)  # noqa: S101 - the last event of a download that did not fail
    return end.dataset
