import pytest

from mlx_engine.quantize.plan.supply import Supply

FILES = ("a", "b", "c", "d")
NEEDS = {
    "embedding": frozenset("a"),
    "across": frozenset("ab"),
    "middle": frozenset("c"),
    "far": frozenset("ad"),
    "constant": frozenset[str](),
}
SIZES = dict.fromkeys(FILES, 10)


def test_a_parameter_is_ready_when_all_its_files_are_available() -> None:
    """In the order of writing; a parameter without a file is always ready."""
    supply = Supply(FILES, NEEDS)
    assert supply.ready(frozenset()) == ("constant",)
    assert supply.ready(frozenset("ac")) == ("embedding", "middle", "constant")


def test_a_file_is_released_after_the_last_parameter_that_needs_it() -> None:
    supply = Supply(FILES, NEEDS)
    assert supply.finish("embedding") == ()
    assert supply.finish("across") == ("b",)
    assert supply.finish("far") == ("a", "d")


def test_the_front_is_the_first_parameter_to_write() -> None:
    """A file that a later parameter needs too does not delay it."""
    supply = Supply(FILES, NEEDS)
    assert supply.front == 0
    supply.finish("constant")
    supply.finish("embedding")
    assert supply.front == 1
    supply.finish("across")
    assert supply.front == 2


def test_unused_files_are_skipped() -> None:
    """Such as those of a vision tower."""
    assert Supply(FILES, {"x": frozenset("d"), "y": frozenset("b")}).files == ("b", "d")


@pytest.mark.parametrize(("at_once", "peak"), [(1, 20), (2, 30), (4, 40)])
def test_the_peak_includes_files_needed_later(at_once: int, peak: int) -> None:
    """The first file is needed until the end; of the others, only a few exist at a time."""
    assert Supply(FILES, NEEDS).peak_bytes(SIZES, at_once=at_once) == peak
