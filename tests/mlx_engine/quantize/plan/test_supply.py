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


def test_a_parameter_is_ready_when_all_its_files_are_here() -> None:
    """In the order in which they are to be written; what is made of no file always is."""
    supply = Supply(FILES, NEEDS)
    assert supply.ready(frozenset()) == ("constant",)
    assert supply.ready(frozenset("ac")) == ("embedding", "middle", "constant")


def test_a_file_is_used_when_the_last_that_needs_it_is_written() -> None:
    """Not before, however much of it was needed."""
    supply = Supply(FILES, NEEDS)
    assert supply.finish("embedding") == ()
    assert supply.finish("across") == ("b",)
    assert supply.finish("far") == ("a", "d")


def test_the_front_is_where_something_waits_to_be_written() -> None:
    """A file that a later parameter needs as well holds nothing up."""
    supply = Supply(FILES, NEEDS)
    assert supply.front == 0
    supply.finish("constant")
    supply.finish("embedding")
    assert supply.front == 1
    supply.finish("across")
    assert supply.front == 2


def test_files_that_nothing_needs_are_left_out() -> None:
    """Those of a tower that sees, for one."""
    assert Supply(FILES, {"x": frozenset("d"), "y": frozenset("b")}).files == ("b", "d")


@pytest.mark.parametrize(("at_once", "peak"), [(1, 20), (2, 30), (4, 40)])
def test_the_peak_counts_what_is_kept_for_later(at_once: int, peak: int) -> None:
    """The first file is needed up to the last; of the others so many are there at a time."""
    assert Supply(FILES, NEEDS).peak_bytes(SIZES, at_once=at_once) == peak
