"""The columns of a study's table as data: what each says of a line, and by what it is sorted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.lab_lines import Line
from mlx_engine.measure.results import Fidelity
from mlx_engine.measure.speed_result import Series
from mlx_engine.measure.words import plus_minus

SortKey = float | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """`key` is None where nothing is known; `meaning` is a sentence, `widest` as wide as its text gets."""

    name: str
    title: str
    text: Callable[[Line], str]
    key: Callable[[Line], SortKey]
    widest: str
    meaning: str
    is_figure: bool = True
    is_of_speed: bool = False
    """Whether it has figures only where speed was measured."""


def _of_fidelity(read: Callable[[Fidelity], float]) -> Callable[[Line], SortKey]:
    return lambda line: read(line.fidelity) if line.fidelity else None


def _in_words(read: Callable[[Fidelity], str]) -> Callable[[Line], str]:
    return lambda line: read(line.fidelity) if line.fidelity else ""


def _perplexity(line: Line) -> str:
    if line.reference:
        return plus_minus(line.reference.reference_perplexity, line.reference.reference_perplexity_se, 2)
    return plus_minus(line.fidelity.perplexity, line.fidelity.perplexity_se, 2) if line.fidelity else ""


def _perplexity_key(line: Line) -> SortKey:
    if line.reference:
        return line.reference.reference_perplexity
    return line.fidelity.perplexity if line.fidelity else None


def _rate(series: Series | None) -> str:
    if series is None:
        return ""
    digits = 0 if series.median >= 100 else 1
    return f"{series.median:,.{digits}f}{'*' if series.is_disturbed else ''}"


def _first_token_s(line: Line) -> float | None:
    series = line.reading()
    return line.row.speed.time_to_first_token_s(series) if line.row.speed and series else None


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def _load_s(line: Line) -> float | None:
    return line.row.speed.load_s[0] if line.row.speed and line.row.speed.load_s and line.is_first else None


def _peak(line: Line) -> int | None:
    return line.row.speed.peak_memory_bytes if line.row.speed and line.is_first else None


COLUMNS: Sequence[Column] = (
    Column(
        "name",
        "Model",
        lambda line: line.name,
        lambda line: line.name.casefold(),
        "",
        "The original, and what is held against it.",
        is_figure=False,
    ),
    Column(
        "size",
        "Size",
        lambda line: bytes_in_words(line.row.size_bytes) if line.row.size_bytes else "",
        lambda line: line.row.size_bytes or None,
        "888.8 GB",
        "Of the folder on the disk.",
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
    ),
    Column(
        "p99_kl",
        "p99 KL",
        _in_words(lambda found: f"{found.p99_kl:.3f}"),
        _of_fidelity(lambda found: found.p99_kl),
        "88.888",
        "One position of a hundred is farther from the original than this.",
    ),
    Column(
        "top1",
        "Same choice",
        _in_words(lambda found: f"{found.top1_agreement:.1%}"),
        _of_fidelity(lambda found: found.top1_agreement),
        "100.0%",
        "How often its likeliest next token is the original's.",
    ),
    Column(
        "perplexity",
        "Perplexity",
        _perplexity,
        _perplexity_key,
        "8888.88 ± 888.88",
        "How surprised it is by the text, with the standard error; less is better.",
    ),
    Column(
        "decode",
        "Decode tok/s",
        lambda line: _rate(line.decoding()),
        lambda line: found.median if (found := line.decoding()) else None,
        "8,888.8*",
        "Tokens a second while it writes. A star: the values lie far apart, something else was running.",
        is_of_speed=True,
    ),
    Column(
        "prefill",
        "Prefill tok/s",
        lambda line: _rate(line.reading()),
        lambda line: found.median if (found := line.reading()) else None,
        "88,888*",
        "Tokens a second while it reads a prompt of 512 tokens.",
        is_of_speed=True,
    ),
    Column(
        "first_token",
        "First token",
        lambda line: _seconds(_first_token_s(line)),
        _first_token_s,
        "88.88 s",
        "How long the first token takes after a prompt of 512 tokens.",
        is_of_speed=True,
    ),
    Column(
        "load",
        "Load",
        lambda line: _seconds(_load_s(line)),
        _load_s,
        "88.88 s",
        "How long it takes to load for the first time.",
        is_of_speed=True,
    ),
    Column(
        "peak",
        "Peak memory",
        lambda line: bytes_in_words(found) if (found := _peak(line)) else "",
        _peak,
        "888.8 GB",
        "The most that MLX held while speed was measured.",
        is_of_speed=True,
    ),
)
NAMES = tuple(column.name for column in COLUMNS)
BY_NAME: Mapping[str, int] = {name: number for number, name in enumerate(NAMES)}
