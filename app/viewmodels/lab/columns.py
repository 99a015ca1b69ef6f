"""The columns of a study's table as data: what each says of a line, in which unit, and by what it is sorted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from app.viewmodels.lab.lines import Line
from mlx_engine.amounts import DISK_GB, MEMORY_GB
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.measure.results.speed_result import Series
from mlx_engine.measure.results.verdicts import plus_minus

SortKey = float | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is None where nothing is known; `meaning` is a sentence, `widest` as wide as its text usually gets."""

    name: str
    title: str
    text: Callable[[Line], str]
    """Of a cell, without the unit."""
    key: Callable[[Line], SortKey]
    widest: str
    meaning: str
    unit: str = ""
    error: Callable[[Line], float | None] | None = None
    """The standard error, if figures of this kind have one."""
    is_figure: bool = True
    is_of_speed: bool = False
    """Whether it has figures only where speed was measured."""

    @property
    def heading(self) -> str:
        return f"{self.title}, {self.unit}" if self.unit else self.title


def _of_fidelity(read: Callable[[Fidelity], float]) -> Callable[[Line], SortKey]:
    return lambda line: read(line.fidelity) if line.fidelity else None


def _in_words(read: Callable[[Fidelity], str]) -> Callable[[Line], str]:
    return lambda line: read(line.fidelity) if line.fidelity else ""


def _error(read: Callable[[Fidelity], float | None]) -> Callable[[Line], float | None]:
    return lambda line: read(line.fidelity) if line.fidelity else None


def _perplexity(line: Line) -> float | None:
    if line.reference:
        return line.reference.reference_perplexity
    return line.fidelity.perplexity if line.fidelity else None


def _perplexity_error(line: Line) -> float | None:
    if line.reference:
        return line.reference.reference_perplexity_se
    return line.fidelity.perplexity_se if line.fidelity else None


def _perplexity_in_words(line: Line) -> str:
    value = _perplexity(line)
    return "" if value is None else plus_minus(value, _perplexity_error(line), 2)


def _rate(series: Series | None) -> str:
    if series is None:
        return ""
    digits = 0 if series.median >= 100 else 1
    return f"{series.median:,.{digits}f}{'*' if series.is_disturbed else ''}"


def _first_token_s(line: Line) -> float | None:
    series = line.reading()
    return line.row.speed.time_to_first_token_s(series) if line.row.speed and series else None


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.{2 if value < 100 else 1}f}"


def _load_s(line: Line) -> float | None:
    return line.row.speed.load_s[0] if line.row.speed and line.row.speed.load_s and line.is_first else None


def _size(line: Line) -> int | None:
    return line.row.size_bytes or None


def _peak(line: Line) -> int | None:
    return line.row.speed.peak_memory_bytes if line.row.speed and line.is_first else None


def _megabytes(read: Callable[[Line], int | None], bytes_each: float) -> Callable[[Line], str]:
    def text(line: Line) -> str:
        value = read(line)
        return "" if value is None else f"{value / bytes_each:,.{0 if value >= 10 * bytes_each else 2}f}"

    return text


def _gigabytes(read: Callable[[Line], int | None], bytes_each: float) -> Callable[[Line], str]:
    return lambda line: "" if (value := read(line)) is None else f"{value / bytes_each:,.2f}"


_BYTES: Mapping[str, tuple[Callable[[Line], int | None], int]] = {"size": (_size, DISK_GB), "peak": (_peak, MEMORY_GB)}
"""The columns whose unit depends on how large the models are."""

COLUMNS: Sequence[Column] = (
    Column(
        "name",
        "Model",
        lambda line: line.name,
        lambda line: line.name.casefold(),
        "",
        "The original, and what is compared with it.",
        is_figure=False,
    ),
    Column(
        "size",
        "Size",
        _megabytes(_size, DISK_GB / 1000),
        _size,
        "888.88",
        "Of the folder on the disk.",
        unit="MB",
    ),
    Column(
        "bits",
        "Bits/weight",
        lambda line: f"{line.row.bits_per_weight:.2f}" if line.row.bits_per_weight else "",
        lambda line: line.row.bits_per_weight or None,
        "88.88",
        "Bits of all tensors for each weight, scales counted.",
    ),
    Column(
        "mean_kl",
        "Mean KL",
        _in_words(lambda found: plus_minus(found.mean_kl, found.mean_kl_se, 4)),
        _of_fidelity(lambda found: found.mean_kl),
        "8.88888 ± 8.88888",
        "How far its answers are from the original's, in nats, with the standard error. 0 is the same.",
        unit="nats",
        error=_error(lambda found: found.mean_kl_se),
    ),
    Column(
        "p99_kl",
        "p99 KL",
        _in_words(lambda found: f"{found.p99_kl:.3f}"),
        _of_fidelity(lambda found: found.p99_kl),
        "88.888",
        "One position of a hundred is farther from the original than this.",
        unit="nats",
    ),
    Column(
        "top1",
        "Same choice",
        _in_words(lambda found: f"{100 * found.top1_agreement:.1f}"),
        _of_fidelity(lambda found: found.top1_agreement),
        "100.0",
        "How often its likeliest next token is the original's: top-1 agreement.",
        unit="%",
        error=_error(lambda found: found.top1_agreement_se),
    ),
    Column(
        "perplexity",
        "Perplexity",
        _perplexity_in_words,
        _perplexity,
        "88.88 ± 88.88",
        "How surprised it is by the text, with the standard error; less is better.",
        error=_perplexity_error,
    ),
    Column(
        "decode",
        "Decode",
        lambda line: _rate(line.decoding()),
        lambda line: found.median if (found := line.decoding()) else None,
        "8,888.8*",
        "Tokens a second while it writes. A star: the values lie far apart, something else was running.",
        unit="tok/s",
        is_of_speed=True,
    ),
    Column(
        "prefill",
        "Prefill",
        lambda line: _rate(line.reading()),
        lambda line: found.median if (found := line.reading()) else None,
        "88,888*",
        "Tokens a second while it reads a prompt of 512 tokens.",
        unit="tok/s",
        is_of_speed=True,
    ),
    Column(
        "first_token",
        "First token",
        lambda line: _seconds(_first_token_s(line)),
        _first_token_s,
        "88.88",
        "How long the first token takes after a prompt of 512 tokens.",
        unit="s",
        is_of_speed=True,
    ),
    Column(
        "load",
        "Load",
        lambda line: _seconds(_load_s(line)),
        _load_s,
        "88.88",
        "How long it takes to load for the first time.",
        unit="s",
        is_of_speed=True,
    ),
    Column(
        "peak",
        "Peak memory",
        _megabytes(_peak, MEMORY_GB / 1024),
        _peak,
        "888.88",
        "The most that MLX held while speed was measured.",
        unit="MB",
        is_of_speed=True,
    ),
)
_LARGE: Sequence[Column] = tuple(
    replace(column, text=_gigabytes(*read), unit="GB") if (read := _BYTES.get(column.name)) else column
    for column in COLUMNS
)
NAMES = tuple(column.name for column in COLUMNS)
BY_NAME: Mapping[str, int] = {name: number for number, name in enumerate(NAMES)}


def columns_of(lines: Sequence[Line]) -> Sequence[Column]:
    """Return the columns with all sizes in the unit that suits the largest of `lines`."""
    largest = max((read(line) or 0 for line in lines for read, _ in _BYTES.values()), default=0)
    return _LARGE if largest >= DISK_GB else COLUMNS
