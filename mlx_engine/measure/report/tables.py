"""Tables of a report in HTML, from columns that are data."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mlx_engine.measure.charts.quantities import Sample
from mlx_engine.measure.report.columns import Column, rate, seconds
from mlx_engine.measure.report.markup import Markup, element, joined
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.speed_result import Series, SpeedResult
from mlx_engine.measure.results.verdicts import plus_minus
from mlx_engine.measure.study.study import Row

_NOTHING = "—"
"""Stands where nothing is known."""


def table(head: Sequence[Markup], rows: Sequence[Markup], *, is_sortable: bool = False) -> Markup:
    """Return a table that scrolls for itself where it is wider than the page."""
    inner = joined(element("thead", element("tr", *head)), element("tbody", *rows))
    return element("div", element("table", inner, class_="sortable" if is_sortable else False), class_="scroll")


def title(words: str, meaning: str = "") -> Markup:
    return element("th", words, scope="col", title=meaning or False)


def columns_table(
    samples: Sequence[Sample],
    columns: Sequence[Column],
    *,
    winner: Sample | None = None,
    words: Callable[[Sample], str] = lambda _: "",
) -> Markup:
    """Return the table that sorts, a row for each of `samples`, with its `words` below its name."""
    head = [title("Model"), *(title(column.title, column.meaning) for column in columns)]
    rows = []
    for sample in samples:
        cells = (_figure(column, sample) for column in columns)
        first = name(sample, words(sample), is_winner=sample is winner)
        rows.append(element("tr", first, *cells, class_="winner" if sample is winner else False))
    return table(head, rows, is_sortable=True)


def name(sample: Sample, words: str = "", *, is_winner: bool = False) -> Markup:
    chip = element("span", "winner", class_="chip") if is_winner else ""
    below = element("small", words) if words else ""
    return element("th", element("bdi", one_line(sample.name)), chip, below, scope="row", title=sample.row.label)


def _figure(column: Column, sample: Sample) -> Markup:
    value = column.value(sample)
    return element("td", column.text(sample) or _NOTHING, data_value="" if value is None else repr(value))


def kinds_table(samples: Sequence[Sample]) -> Markup:
    """Return mean KL and agreement on each kind of text."""
    found = [(sample, sample.result.by_kind) for sample in samples if sample.result]
    kinds = list(dict.fromkeys(kind for _, by_kind in found for kind in by_kind))
    rows = [element("tr", name(sample), *(_kind(by_kind.get(kind)) for kind in kinds)) for sample, by_kind in found]
    return table([title("Model"), *(title(one_line(kind)) for kind in kinds)], rows, is_sortable=True)


def _kind(found: Fidelity | None) -> Markup:
    if found is None:
        return element("td", _NOTHING, data_value="")
    same = element("small", f"{100 * found.top1_agreement:.1f} % same")
    value = plus_minus(found.mean_kl, found.mean_kl_se, 4)
    return element("td", value, element("br"), same, data_value=repr(found.mean_kl))


def speed_table(rows: Sequence[Row], names: Mapping[str, str], conditions: Mapping[str, str]) -> Markup:
    """Return all speeds, with the slowest and the fastest time of each; below a name, the conditions of its label."""
    measured = [(row, row.speed) for row in rows if row.speed]
    prompts = _tokens(speed.reading for _, speed in measured)
    depths = _tokens(speed.decoding for _, speed in measured)
    head = [
        title("Model"),
        title("Load, first"),
        title("Load, again"),
        *(title(f"Prefill {tokens:,}") for tokens in prompts),
        *(title(f"Decode at {tokens:,}") for tokens in depths),
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
    loads = (_seconds(speed.load_s[place : place + 1]) for place in (0, 1))
    reading = (_series(speed.reading, tokens) for tokens in prompts)
    decoding = (_series(speed.decoding, tokens) for tokens in depths)
    yield from (*loads, *reading, *decoding)


def _seconds(values: Sequence[float]) -> Markup:
    return element("td", seconds(values[0]) if values else _NOTHING, data_value=repr(values[0]) if values else "")


def _series(series: Sequence[Series], tokens: int) -> Markup:
    if not (found := next((one for one in series if one.tokens == tokens), None)):
        return element("td", _NOTHING, data_value="")
    extremes = element("small", f"{min(found.values):,.1f} to {max(found.values):,.1f}")
    return element("td", rate(found), element("br"), extremes, data_value=repr(found.median))


def _tokens(series: Iterable[tuple[Series, ...]]) -> list[int]:
    return sorted({one.tokens for found in series for one in found})
