"""The positions with the highest KL in HTML: the text, and the most likely tokens of both models."""

from collections.abc import Iterator, Sequence

from mlx_engine.amounts import format_number
from mlx_engine.measure.figures.sample import Sample
from mlx_engine.measure.report.markup import Markup, element
from mlx_engine.measure.results.results import Divergence, TopToken
from mlx_engine.measure.results.safe_characters import one_line, visible_end, visible_token

_CONTEXT = 600
"""Characters; tokens can be long."""


def worst(samples: Sequence[Sample]) -> Iterator[Markup]:
    """Yield a collapsible section for each candidate with results."""
    for sample in samples:
        if sample.result and sample.result.worst:
            yield _candidate(sample, sample.result.worst)


def _candidate(sample: Sample, positions: Sequence[Divergence]) -> Markup:
    farthest, nearest = positions[0].kl, positions[-1].kl
    extent = element(
        "small", f" · {len(positions)} positions, KL {format_number(nearest)} to {format_number(farthest)}"
    )
    head = element("summary", element("bdi", one_line(sample.name)), extent)
    return element("details", head, *map(_position, positions))


def _position(divergence: Divergence) -> Markup:
    position = f" · {one_line(divergence.kind)} · chunk {divergence.chunk + 1}, token {divergence.position + 2}"
    choices = element(
        "div",
        _choices("Original", divergence.reference, divergence.true),
        _choices("Candidate", divergence.candidate, divergence.true),
        class_="choices",
    )
    return element(
        "article",
        element("header", element("b", f"KL {format_number(divergence.kl)}"), position),
        element(
            "blockquote",
            visible_end(divergence.before, _CONTEXT),
            element("mark", visible_token(divergence.true)),
            dir="auto",
        ),
        choices,
    )


def _choices(who: str, choices: Sequence[TopToken], true: str) -> Markup:
    return element("div", element("h4", who), element("ol", *(_choice(choice, true) for choice in choices)))


def _choice(choice: TopToken, true: str) -> Markup:
    token = element("code", visible_token(choice.text), dir="auto", class_="true" if choice.text == true else False)
    share = f"--share: {min(max(choice.probability, 0.0), 1.0):.3f}"
    return element("li", token, element("span", f"{choice.probability:.1%}"), style=share)
