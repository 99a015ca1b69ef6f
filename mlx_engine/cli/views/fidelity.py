"""Fidelity of candidates in a terminal of 80 columns."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mlx_engine.cli.views.study import align, figures_table
from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import (
    DISTRIBUTION,
    LOG_PERPLEXITY_RATIO,
    MEAN_KL,
    P99_KL,
    PERPLEXITY,
    TOP1_AGREEMENT,
)
from mlx_engine.measure.figures.format import columns, format_measured
from mlx_engine.measure.figures.sample import Sample, format_precision, sample_of_result
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.verdicts import verdict


def lines(result: FidelityResult) -> Iterator[str]:
    """Yield all figures of one candidate, the verdict first."""
    fidelity, sample = result.fidelity, sample_of_result(result)
    original = replace(sample, fidelity=None, reference=fidelity)
    yield f"{result.candidate} compared with {result.reference}"
    yield f"  {verdict(fidelity)}"
    if result.is_stand_in:
        yield "  An 8-bit copy replaced the original, so divergences are lower bounds."
    flips = f"{fidelity.flips:,} of {fidelity.positions:,} positions differ"
    rows = (
        (MEAN_KL, f"{format_measured(MEAN_KL, sample)}, within {fidelity.kl_error_bound:.1g} of the exact value"),
        *((figure, format_measured(figure, sample)) for figure in DISTRIBUTION),
        (TOP1_AGREEMENT, f"{format_measured(TOP1_AGREEMENT, sample)}; {flips}"),
        (PERPLEXITY, f"{format_measured(PERPLEXITY, sample)}, original {format_measured(PERPLEXITY, original)}"),
        (LOG_PERPLEXITY_RATIO, format_measured(LOG_PERPLEXITY_RATIO, sample)),
    )
    yield from align([(f"  {figure.title}", text) for figure, text in rows]).splitlines()
    kinds = ((kind, replace(sample, fidelity=of_kind)) for kind, of_kind in result.by_kind.items())
    cells = [(f"    {kind}", _named(MEAN_KL, of_kind), _named(TOP1_AGREEMENT, of_kind)) for kind, of_kind in kinds]
    yield from align(cells).splitlines() if cells else ()
    yield f"  {result.corpus}: {result.convention}{format_precision(result.cache_bits)}"


def summary(results: Sequence[FidelityResult]) -> str:
    """Return a table with a row for each candidate."""
    samples = [sample_of_result(result) for result in results]
    figures = columns(samples, (MEAN_KL, P99_KL, TOP1_AGREEMENT, PERPLEXITY))
    rows = [(_short_name(sample), *(column.text(sample) for column in figures)) for sample in samples]
    return figures_table(figures, rows)


def _named(figure: Figure, sample: Sample) -> str:
    return f"{figure.title} {format_measured(figure, sample)}"


def _short_name(sample: Sample) -> str:
    return sample.name.rstrip("/").rpartition("/")[2]
