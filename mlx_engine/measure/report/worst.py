"""The positions where a candidate is farthest from the original, in HTML: the text, and what both would have said."""

from collections.abc import Iterator, Sequence

from mlx_engine.amounts import format_number
from mlx_engine.measure.charts.quantities import Sample
from mlx_engine.measure.report.markup import Markup, element
from mlx_engine.measure.results.results import Choice, Divergence
from mlx_engine.measure.results.safe_characters import one_line, visible_end, visible_token

_CONTEXT = 600
"""Characters; tokens can be long."""


def worst(samples: Sequence[Sample]) -> Iterator[Markup]:
    """Yield a part that unfolds for each candidate with results."""
    for sample in samples:
        if sample.result and sample.result.worst:
            yield _candidate(sample, sample.result.worst)


def _candidate(sample: Sample, found: Sequence[Divergence]) -> Markup:
    farthest, nearest = found[0].kl, found[-1].kl
    told = element("small", f" · {len(found)} positions, KL {format_number(nearest)} to {format_number(farthest)}")
    head = element("summary", element("bdi", one_line(sample.name)), told)
    return element("details", head, *map(_position, found))


def _position(found: Divergence) -> Markup:
    place = f" · {one_line(found.kind)} · chunk {found.chunk + 1}, token {found.position + 2}"
    choices = element(
        "div",
        _choices("Original", found.reference, found.true),
        _choices("Candidate", found.candidate, found.true),
        class_="choices",
    )
    return element(
        "article",
        element("header", element("b", f"KL {format_number(found.kl)}"), place),
        element(
            "blockquote", visible_end(found.before, _CONTEXT), element("mark", visible_token(found.true)), dir="auto"
        ),
        choices,
    )


def _choices(who: str, choices: Sequence[Choice], true: str) -> Markup:
    return element("div", element("h4", who), element("ol", *(_choice(choice, true) for choice in choices)))


def _choice(choice: Choice, true: str) -> Markup:
    token = element("code", visible_token(choice.text), dir="auto", class_="true" if choice.text == true else False)
    share = f"--share: {min(max(choice.probability, 0.0), 1.0):.3f}"
    return element("li", token, element("span", f"{choice.probability:.1%}"), style=share)
