"""What a measurement of fidelity looks like in a terminal of 80 columns."""

from collections.abc import Iterator, Sequence

from mlx_engine.cli.views.study import columns
from mlx_engine.measure.results.results import Fidelity, FidelityResult
from mlx_engine.measure.results.verdicts import plus_minus, verdict


def lines(result: FidelityResult) -> Iterator[str]:
    """Give all that is known of one candidate, what it means first."""
    found = result.fidelity
    yield f"{result.candidate} against {result.reference}"
    yield f"  {verdict(found)}"
    if result.is_stand_in:
        yield "  The reference is a stand-in whose own loss is missing: take the divergence as a lower bound."
    yield f"  mean KL      {_mean_kl(found)} nats; rounding and tails change it by < {found.kl_error_bound:.1g}"
    yield f"  KL           median {found.median_kl:z.4f}, p90 {found.p90_kl:z.3f}, " + (
        f"p99 {found.p99_kl:.3f}, max {found.max_kl:.2f}"
    )
    yield f"  same choice  {_same_choice(found)}; {found.flips:,} of {found.positions:,} positions differ"
    yield f"  perplexity   {_perplexity(found)}, of the original " + plus_minus(
        found.reference_perplexity, found.reference_perplexity_se, 2
    )
    yield f"  ln(ratio)    {plus_minus(found.log_perplexity_ratio, found.log_perplexity_ratio_se, 4)}"
    cells = [
        (f"    {kind}", f"KL {_mean_kl(own)}", f"same {_same_choice(own)}") for kind, own in result.by_kind.items()
    ]
    yield from columns(cells, figures=()).splitlines() if cells else ()
    bits = "" if result.cache_bits == 16 else f", its context in {result.cache_bits} bits"
    yield f"  {result.corpus}: {result.convention}{bits}"


def summary(results: Sequence[FidelityResult]) -> str:
    """Return a line for each candidate, aligned."""
    head = ("candidate", "mean KL", "p99 KL", "same choice", "perplexity")
    rows = [
        (
            result.candidate.rstrip("/").rpartition("/")[2],
            _mean_kl(result.fidelity),
            f"{result.fidelity.p99_kl:.3f}",
            _same_choice(result.fidelity),
            _perplexity(result.fidelity),
        )
        for result in results
    ]
    return columns([head, *rows], figures=range(1, len(head)))


def _mean_kl(found: Fidelity) -> str:
    return plus_minus(found.mean_kl, found.mean_kl_se, 4)


def _same_choice(found: Fidelity) -> str:
    error = found.top1_agreement_se
    return f"{plus_minus(100 * found.top1_agreement, None if error is None else 100 * error, 1)} %"


def _perplexity(found: Fidelity) -> str:
    return plus_minus(found.perplexity, found.perplexity_se, 2)
