"""A passage as text for elsewhere: HTML with its tints, or plain with the places that differ."""

import html
from collections.abc import Callable

from app.viewmodels.tokens.format import change, context, named, percent, visible
from app.viewmodels.tokens.passage import Passage
from mlx_engine.measure.results.messages import ScoredToken

_BEFORE_CHARACTERS = 60


def as_html(passage: Passage, tint: Callable[[float], str], mark: str) -> str:
    """Return a piece of HTML that stands alone. `tint` gives the CSS colour of a KL, "" for none; `mark` is that of
    the line below a token whose first choice differs.
    """
    tokens = "".join(_span(token, tint(token.kl), mark) for token in passage.tokens)
    return (
        f"<p><b>{html.escape(passage.candidate)}</b> against <b>{html.escape(passage.reference)}</b>: "
        f"{html.escape(passage.in_words)}</p>\n"
        f'<div style="white-space: pre-wrap"><span style="color: #8e8e93">{html.escape(passage.read.before)}</span>'
        f"{tokens}</div>"
    )


def as_plain(passage: Passage) -> str:
    """Return the text, and below it a line for each place where the first choices differ."""
    text = passage.read.before + "".join(token.text for token in passage.tokens)
    head = f"{passage.candidate} against {passage.reference}: {passage.in_words}"
    return "\n".join([text, "", head, *(_line(passage, place) for place in passage.flips)]) + "\n"


def _span(token: ScoredToken, tint: str, mark: str) -> str:
    styles = [f"background: {tint}"] if tint else []
    styles += [f"border-bottom: 2px solid {mark}"] if token.differs else []
    if not styles:
        return html.escape(token.text)
    said = html.escape(f"KL {token.kl:.3f}, {_choices(token)}", quote=True)
    return f'<span style="{"; ".join(styles)}" title="{said}">{html.escape(token.text)}</span>'


def _line(passage: Passage, place: int) -> str:
    token = passage.tokens[place]
    before = passage.read.before + "".join(one.text for one in passage.tokens[:place])
    place_in_text = f"{context(before, _BEFORE_CHARACTERS)} [{named(token)}]"
    return f"KL {token.kl:.3f}  {place_in_text}  {_choices(token)}, {change(token)}"


def _choices(token: ScoredToken) -> str:
    first = [f"{visible(one[0].text)} {percent(one[0].probability)}" for one in (token.reference, token.candidate)]
    return f"original: {first[0]}, candidate: {first[1]}"
