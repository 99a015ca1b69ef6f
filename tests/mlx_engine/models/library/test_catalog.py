"""The catalogue must agree with itself: what it recommends can be downloaded, fits, and is what it is called."""

import re
from pathlib import Path

import msgspec
import pytest

from mlx_engine.amounts import MEMORY_GB
from mlx_engine.models.hub.files import is_safe
from mlx_engine.models.library import catalog
from mlx_engine.models.library.catalog import Entry

MACS_GB = (8, 16, 18, 24, 32, 36, 48, 64, 96, 128)
ENTRIES = catalog.read()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_builds_fit_where_they_are_recommended(entry: Entry) -> None:
    """Weights and a tenth more for the conversation leave a third of the memory to the system."""
    for build in entry.builds:
        assert build.size_bytes * 1.1 + 0.4e9 <= build.memory_gb * MEMORY_GB * 2 / 3, build.repository


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_sizes_follow_from_parameters_and_bits(entry: Entry) -> None:
    """A build has as many bytes as its quantization gives its parameters, scales included."""
    for build in entry.builds:
        bits = build.size_bytes * 8 / entry.parameters
        named = re.match(r"[\d.]+", build.quantization.removeprefix("bf").removeprefix("mxfp"))
        assert named is not None
        # Vision towers and some embeddings stay at 16 bits; Gemma's embeddings are there twice.
        assert float(named[0]) * 0.99 <= bits <= max(float(named[0]) * 1.6, 4), build.repository


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_repositories_are_owner_and_name(entry: Entry) -> None:
    """Whatever the catalogue names can be asked of the Hub."""
    for repository in (entry.repository, *(build.repository for build in entry.builds)):
        assert repository.count("/") == 1
        assert is_safe(repository)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_builds_grow_with_the_memory(entry: Entry) -> None:
    """More memory never gets a smaller build."""
    sizes = [build.size_bytes if (build := entry.build_for(memory * MEMORY_GB)) else 0 for memory in MACS_GB]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 0


def test_no_model_is_listed_twice() -> None:
    """Names and repositories tell the entries apart, and they go from small to large."""
    builds = [build.repository for entry in ENTRIES for build in entry.builds]
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    assert len(set(builds)) == len(builds)
    assert [entry.parameters for entry in ENTRIES] == sorted(entry.parameters for entry in ENTRIES)


@pytest.mark.parametrize("memory_gb", MACS_GB)
def test_every_mac_has_one_first_choice_that_suits_it(memory_gb: int) -> None:
    """Whoever has never chosen a model finds one at the top."""
    found = catalog.recommend(memory_gb * MEMORY_GB)
    assert [one.entry.name for one in found if one.is_first_choice] == [found[0].entry.name]
    assert found[0].build is not None


def test_what_does_not_suit_comes_last() -> None:
    """A small Mac sees what it can run before what it cannot; nothing is hidden."""
    found = catalog.recommend(8 * MEMORY_GB)
    suits = [one.build is not None for one in found]
    assert suits == sorted(suits, reverse=True)
    assert not suits[-1]
    assert len(found) == len(ENTRIES)


def test_a_mistyped_field_is_refused(tmp_path: Path) -> None:
    """A catalogue with a field that nobody reads is an error, not an entry that says less."""
    entry = msgspec.structs.asdict(ENTRIES[0]) | {"lisence": "mit"}
    file = tmp_path / "catalog.json"
    file.write_bytes(msgspec.json.encode([entry]))
    with pytest.raises(msgspec.ValidationError, match="lisence"):
        catalog.read(file)
