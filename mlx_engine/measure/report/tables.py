"""Tables of a report in HTML."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from mlx_engine.measure.figures.figure import Figure, FigureEstimate
from mlx_engine.measure.figures.figures import (
    DECODE_SPEED,
    LOAD_TIME,
    MEAN_KL,
    PREFILL_SPEED,
    TOP1_AGREEMENT,
    token_rate,
)
from mlx_engine.measure.figures.format import FigureColumn, columns, format_figure, format_measured
from mlx_engine.measure.figures.sample import Sample
from mlx_engine.measure.report.markup import Markup, element, joined
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.speed_result import RateSeries, SpeedResult
from mlx_engine.measure.study.study import Row

_NOTHING = "—"
"""In a cell without a value."""


def table(head: Sequence[Markup], rows: Sequence[Markup], *, is_sortable: bool = False) -> Markup:
    """Return a table that scrolls on its own if it is wider than the page."""
    inner = joined(element("thead", element("tr", *head)), element("tbody", *rows))
    return element("div", element("table", inner, class_="sortable" if is_sortable else False), class_="scroll")


def title(text: str, meaning: str = "") -> Markup:
    return element("th", text, scope="col", title=meaning or False)


def figures_table(
    samples: Sequence[Sample],
    figures: Sequence[Figure],
    *,
    best: Sample | None = None,
    note: Callable[[Sample], str] = lambda _: "",
) -> Markup:
    """Return a sortable table with a row for each of `samples`, its `note` below its name."""
    shown = columns(samples, figures)
    head = [title("Model"), *(title(column.heading, column.figure.meaning) for column in shown)]
    rows = []
    for sample in samples:
        cells = (_cell(column, sample) for column in shown)
        first = name(sample, note(sample), is_best=sample is best)
        rows.append(element("tr", first, *cells, class_="best" if sample is best else False))
    return table(head, rows, is_sortable=True)


def name(sample: Sample, note: str = "", *, is_best: bool = False) -> Markup:
    chip = element("span", "best within limits", class_="chip") if is_best else ""
    below = element("small", note) if note else ""
    return element("th", element("bdi", one_line(sample.name)), chip, below, scope="row", title=sample.row.label)


def _cell(column: FigureColumn, sample: Sample) -> Markup:
    estimate = column.figure.measured(sample)
    return element("td", column.text(sample) or _NOTHING, data_value=repr(estimate.value) if estimate else "")


def kinds_table(samples: Sequence[Sample]) -> Markup:
    """Return mean KL and top-1 agreement for each kind of text."""
    by_kind = [(sample, sample.result.by_kind) for sample in samples if sample.result]
    kinds = list(dict.fromkeys(kind for _, results in by_kind for kind in results))
    rows = [
        element("tr", name(sample), *(_kind(sample, results.get(kind)) for kind in kinds))
        for sample, results in by_kind
    ]
    return table([title("Model"), *(title(one_line(kind)) for kind in kinds)], rows, is_sortable=True)


def _kind(sample: Sample, fidelity: Fidelity | None) -> Markup:
    if fidelity is None:
        return element("td", _NOTHING, data_value="")
    of_kind = replace(sample, fidelity=fidelity)
    match = element("small", format_measured(TOP1_AGREEMENT, of_kind))
    return element("td", format_measured(MEAN_KL, of_kind), element("br"), match, data_value=repr(fidelity.mean_kl))


def speed_table(rows: Sequence[Row], names: Mapping[str, str], conditions: Mapping[str, str]) -> Markup:
    """Return all speeds with their extremes; `conditions` are shown below the name, by label."""
    measured = [(row, row.speed) for row in rows if row.speed]
    prompts = _tokens(speed.prefill_rates for _, speed in measured)
    depths = _tokens(speed.decode_rates for _, speed in measured)
    head = [
        title("Model"),
        title(LOAD_TIME.title, LOAD_TIME.meaning),
        title(f"{LOAD_TIME.title}, again"),
        *(title(f"{PREFILL_SPEED.title} at {tokens:,}") for tokens in prompts),
        *(title(f"{DECODE_SPEED.title} at {tokens:,}") for tokens in depths),
    ]
    return table(
        head,
        [
            element("tr", _speed_name(row, names, conditions), *_speeds(speed, prompts, depths))
            for row, speed in measured
        ],
        is_sortable=True,
    )


def _speed_name(row: Row, names: Mapping[str, str], conditions: Mapping[str, str]) -> Markup:
    below = element("small", conditions[row.label]) if row.label in conditions else ""
    return element("th", element("bdi", names[row.label]), below, scope="row", title=row.label)


def _speeds(speed: SpeedResult, prompts: Sequence[int], depths: Sequence[int]) -> Iterator[Markup]:
    loads = (_seconds(speed.load_s[index : index + 1]) for index in (0, 1))
    prefill = (_series(speed.prefill_rates, tokens) for tokens in prompts)
    decode = (_series(speed.decode_rates, tokens) for tokens in depths)
    yield from (*loads, *prefill, *decode)


def _seconds(values: Sequence[float]) -> Markup:
    if not values:
        return element("td", _NOTHING, data_value="")
    return element("td", format_figure(LOAD_TIME, FigureEstimate(values[0])), data_value=repr(values[0]))


def _series(series: Sequence[RateSeries], tokens: int) -> Markup:
    at_length = next((rates for rates in series if rates.tokens == tokens), None)
    if at_length is None:
        return element("td", _NOTHING, data_value="")
    return element("td", format_figure(DECODE_SPEED, token_rate(at_length)), data_value=repr(at_length.median))


def _tokens(series: Iterable[tuple[RateSeries, ...]]) -> list[int]:
    return sorted({rates.tokens for of_model in series for rates in of_model})
