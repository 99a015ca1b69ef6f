"""Copies of a passage: HTML with tints, or plain text with a list of the flips."""

import html
from collections.abc import Callable

from app.viewmodels.tokens.format import format_change, format_probability, preceding_text, token_name, visible
from app.viewmodels.tokens.passage import Passage
from mlx_engine.measure.results.messages import ScoredToken

_BEFORE_CHARACTERS = 60


def to_html(passage: Passage, tint: Callable[[float], str], mark: str) -> str:
    """Return a self-contained HTML fragment. `tint` returns the CSS color for a KL, or ""; `mark` is the color that
    underlines flips.
    """
    tokens = "".join(_span(token, tint(token.kl), mark) for token in passage.tokens)
    return (
        f"<p><b>{html.escape(passage.candidate)}</b> vs. <b>{html.escape(passage.reference)}</b>: "
        f"{html.escape(passage.summary)}</p>\n"
        f'<div style="white-space: pre-wrap"><span style="color: #8e8e93">{html.escape(passage.read.before)}</span>'
        f"{tokens}</div>"
    )


def to_plain_text(passage: Passage) -> str:
    """Return the text, followed by a line for each flip."""
    text = passage.read.before + "".join(token.text for token in passage.tokens)
    head = f"{passage.candidate} vs. {passage.reference}: {passage.summary}"
    return "\n".join([text, "", head, *(_line(passage, number) for number in passage.flips)]) + "\n"


def _span(token: ScoredToken, tint: str, mark: str) -> str:
    styles = [f"background: {tint}"] if tint else []
    styles += [f"border-bottom: 2px solid {mark}"] if token.differs else []
    if not styles:
        return html.escape(token.text)
    tooltip = html.escape(f"KL {token.kl:.3f}, {_choices(token)}", quote=True)
    return f'<span style="{"; ".join(styles)}" title="{tooltip}">{html.escape(token.text)}</span>'


def _line(passage: Passage, number: int) -> str:
    token = passage.tokens[number]
    before = passage.read.before + "".join(earlier.text for earlier in passage.tokens[:number])
    position = f"{preceding_text(before, _BEFORE_CHARACTERS)} [{token_name(token)}]"
    return f"KL {token.kl:.3f}  {position}  {_choices(token)}, {format_change(token)}"


def _choices(token: ScoredToken) -> str:
    first = [
        f"{visible(choices[0].text)} {format_probability(choices[0].probability)}"
        for choices in (token.reference, token.candidate)
    ]
    return f"original: {first[0]}, candidate: {first[1]}"
