import pytest

from app.viewmodels.fit import fit, largest_weights_bytes
from mlx_engine.models.machine import mac

MAC = mac(16 * 2**30, "0")


@pytest.mark.parametrize(
    ("gigabytes", "kind"),
    [(0, "unknown"), (2, "fits"), (7, "fits"), (9, "tight"), (12, "too large"), (200, "too large")],
)
def test_weights_fit_by_their_size(gigabytes: int, kind: str) -> None:
    """What needs the reserve is tight; what needs more than the working set is too large."""
    assert fit(gigabytes * 10**9, MAC).kind == kind


def test_the_figures_are_told() -> None:
    """Nobody has to believe the verdict without its sum."""
    sentence = fit(5_000_000_000, MAC).sentence
    for figure in ("5.0 GB", "11.5 GB", "two thirds of the memory", "1.4 GB"):
        assert figure in sentence


def test_the_largest_weights_just_fit() -> None:
    """The filter of the search lets pass what the verdict says fits, and no more."""
    largest = largest_weights_bytes(MAC)
    assert fit(largest - 1, MAC).kind == "fits"
    assert fit(largest + 10**7, MAC).kind != "fits"
