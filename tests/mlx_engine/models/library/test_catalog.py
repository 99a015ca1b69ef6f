"""Checks the catalog for consistency: builds fit the Macs they are recommended for and match their names."""

import re
from pathlib import Path

import msgspec
import pytest

from mlx_engine.amounts import MEMORY_GB
from mlx_engine.models.hub.files import is_safe
from mlx_engine.models.library import catalog
from mlx_engine.models.library.catalog import CatalogEntry

MACS_GB = (8, 16, 18, 24, 32, 36, 48, 64, 96, 128)
ENTRIES = catalog.read()


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_builds_fit_where_they_are_recommended(entry: CatalogEntry) -> None:
    """Weights, plus a tenth for the conversation, leave a third of the memory to the system."""
    for build in entry.builds:
        assert build.size_bytes * 1.1 + 0.4e9 <= build.memory_gb * MEMORY_GB * 2 / 3, build.repository


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_sizes_follow_from_parameters_and_bits(entry: CatalogEntry) -> None:
    """A build's size matches its quantization and parameters, scales included."""
    for build in entry.builds:
        bits = build.size_bytes * 8 / entry.parameters
        nominal = re.match(r"[\d.]+", build.quantization.removeprefix("bf").removeprefix("mxfp"))
        assert nominal is not None
        # Vision towers and some embeddings stay at 16 bits; Gemma stores its embeddings twice.
        assert float(nominal[0]) * 0.99 <= bits <= max(float(nominal[0]) * 1.6, 4), build.repository


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_repositories_are_owner_and_name(entry: CatalogEntry) -> None:
    """All repositories in the catalog have valid Hub names."""
    for repository in (entry.repository, *(build.repository for build in entry.builds)):
        assert repository.count("/") == 1
        assert is_safe(repository)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_builds_grow_with_the_memory(entry: CatalogEntry) -> None:
    """A Mac with more memory never gets a smaller build."""
    sizes = [build.size_bytes if (build := entry.build_for(memory * MEMORY_GB)) else 0 for memory in MACS_GB]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 0


def test_no_model_is_listed_twice() -> None:
    """Names and repositories are unique, and entries are sorted from small to large."""
    builds = [build.repository for entry in ENTRIES for build in entry.builds]
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)
    assert len(set(builds)) == len(builds)
    assert [entry.parameters for entry in ENTRIES] == sorted(entry.parameters for entry in ENTRIES)


@pytest.mark.parametrize("memory_gb", MACS_GB)
def test_every_mac_has_one_first_choice_that_fits(memory_gb: int) -> None:
    """It is the first recommendation."""
    items = catalog.recommend(memory_gb * MEMORY_GB)
    assert [item.entry.name for item in items if item.is_first_choice] == [items[0].entry.name]
    assert items[0].build is not None


def test_models_that_do_not_fit_come_last() -> None:
    """A small Mac lists the models that it can run first, and hides none."""
    items = catalog.recommend(8 * MEMORY_GB)
    fits = [item.build is not None for item in items]
    assert fits == sorted(fits, reverse=True)
    assert not fits[-1]
    assert len(items) == len(ENTRIES)


def test_a_mistyped_field_is_refused(tmp_path: Path) -> None:
    """A catalog with an unknown field is an error; the field is not ignored."""
    entry = msgspec.structs.asdict(ENTRIES[0]) | {"lisence": "mit"}
    file = tmp_path / "catalog.json"
    file.write_bytes(msgspec.json.encode([entry]))
    with pytest.raises(msgspec.ValidationError, match="lisence"):
        catalog.read(file)
