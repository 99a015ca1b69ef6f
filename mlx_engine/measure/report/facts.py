"""How a study was measured, on what, with what: names and sentences, the same in every document.

KL divergence, perplexity and their errors are those of `fidelity.py` and `comparison.py`; speeds those of `speed.py`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.amounts import format_number
from mlx_engine.measure.report.shareable import is_own_text, name_of
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.safe_characters import one_line, sentence

Fact = tuple[str, str]


def facts(subject: Subject) -> list[Fact]:
    """Return all that somebody needs who wants to measure the same again."""
    return [*_fidelity(subject), *_speed(subject), *_around(subject)]


def convention(result: FidelityResult) -> str:
    """Return how the text was cut and scored, and who does it likewise."""
    likewise = "as mlx_lm.perplexity does" if "all positions" in result.convention else "as llama-perplexity does"
    return sentence(f"{one_line(result.convention)}, {likewise}; each chunk is read for itself")


def scored(result: FidelityResult) -> str:
    """Return on what was measured: "1,984 positions of facet, in 16 chunks"."""
    found = result.fidelity
    return f"{found.positions:,} positions in {found.chunks:,} chunks of {corpus(result)}"


def corpus(result: FidelityResult) -> str:
    own, _, kinds = result.corpus.partition(":")
    if own != "facet":
        return one_line(name_of(result.corpus))
    return f"Facet's own texts ({kinds.replace('+', ', ')})" if kinds else "Facet's own texts"


def machines(subject: Subject) -> str:
    """Return on what was measured, in a line."""
    found = (*(result.machine for result in subject.results), *(speed.machine for speed in subject.speeds))
    return "; ".join(_each(found))


def tools(subject: Subject) -> str:
    """Return with which versions: "facet 0.1.0, mlx 0.32.4"."""
    told = (*(result.tools for result in subject.results), *(speed.tools for speed in subject.speeds))
    return ", ".join(_each(f"{name} {version}" for found in told for name, version in found.items()))


_DIVERGENCE = (
    "KL(original ‖ candidate) = Σ p ln(p/q) over all next tokens, p by the original and q by the candidate, in nats. "
    "Figures after ± are one standard error, clustered by chunk, since the tokens of a chunk depend on each other."
)
_PERPLEXITY = "exp of the mean of ln(1/p), p of the token that really follows, over the scored positions."
_SAME_INPUT = (
    "The original's chat template was applied and the text tokenized once; all models read the same token ids. A "
    "candidate that reads the text otherwise, or has another vocabulary, is refused."
)
_CHOICES = (
    "Nothing is sampled, so there is no seed: all models are led along the same text, and asked at each position for "
    "the next token. Conversations are written with their answers; no model thinks in between."
)


def _fidelity(subject: Subject) -> Iterator[Fact]:
    results = subject.results
    if not results:
        return
    first = results[0]
    yield "Divergence", _DIVERGENCE
    yield "Perplexity", _PERPLEXITY
    yield "Text", f"{scored(first)}{_read_tokens(subject)}."
    if first.private:
        yield "Private", "The text is private: no passage of it is in this report."
    elif is_own_text(subject.study.plan.corpus) and not any(result.worst for result in results):
        yield "Passages", "The text is a file of one's own: no passage of it is in this report."
    if first.by_kind:
        yield "Kinds", ", ".join(f"{one_line(kind)} ({found.positions:,})" for kind, found in first.by_kind.items())
    yield "Convention", convention(first)
    yield "Same input", _SAME_INPUT
    yield "Choices", _CHOICES
    yield "Context", f"Kept in 16 bits by the original, in {_bits(results)} bits by the candidates."
    yield "Left out", _left_out(subject, results)


def _read_tokens(subject: Subject) -> str:
    if subject.header is None:
        return ""
    size = subject.header.convention.chunk_tokens
    return f", {len(subject.header.kinds) * size:,} tokens read, of a vocabulary of {subject.header.vocabulary:,}"


def _left_out(subject: Subject, results: Sequence[FidelityResult]) -> str:
    bound = max(result.fidelity.kl_error_bound for result in results)
    return (
        f"{_kept(subject.study.plan.tail_mass)}With all answers, the mean KL would be within {format_number(bound)} "
        "nats of what is shown, for every candidate: the most that rounding can do, and four standard errors of the "
        "samples."
    )


def _kept(tail_mass: float) -> str:
    if tail_mass == 0:
        return "The original's answers are kept for all tokens, in 16 bits. "
    return (
        "Of the original's answers, the likeliest tokens of each position are kept, in 16 bits; for the rest, at most "
        f"{tail_mass:g} of the probability, a sample of its tokens stands. "
    )


def _bits(results: Iterable[FidelityResult]) -> str:
    found = [str(bits) for bits in sorted({result.cache_bits for result in results}, reverse=True)]
    return " and ".join(found) if len(found) < 3 else f"{', '.join(found[:-1])} and {found[-1]}"


def _speed(subject: Subject) -> Iterator[Fact]:
    if not subject.speeds:
        return
    plan = subject.speeds[0].plan
    yield (
        "Speed",
        (
            f"Median of {plan.repetitions} after a warm-up, which is not counted. Prefill: tokens read until the "
            f"first of the answer is there. Decode: {plan.decode_tokens} tokens written after a context of that depth, "
            f"kept in {plan.cache_bits} bits. A star: the values lie more than a fifth apart."
        ),
    )
    yield "Conditions", _conditions(subject)


def conditions(subject: Subject) -> dict[str, str]:
    """Return under which conditions the speed of each model was measured, by its label."""
    return {row.label: row.speed.conditions.text for row in subject.study.rows if row.speed}


def _conditions(subject: Subject) -> str:
    found = set(conditions(subject).values())
    return found.pop() if len(found) == 1 else "Not the same for all: each model's stand below its name, at Speed."


def _around(subject: Subject) -> Iterator[Fact]:
    if machine := machines(subject):
        yield "Machine", machine
    if versions := tools(subject):
        yield "Versions", versions
    if dates := sorted(when for when in _dates(subject) if when):
        first, last = (f"{when[:10]} {when[11:16]}" for when in (dates[0], dates[-1]))
        yield "Measured", f"{first} UTC" if first == last else f"{first} to {last} UTC"


def _dates(subject: Subject) -> Iterator[str]:
    for result in subject.results:
        yield result.created
    for speed in subject.speeds:
        yield speed.created


def _each(texts: Iterable[str]) -> list[str]:
    """Return what is there, each once, in order."""
    return list(dict.fromkeys(one_line(text) for text in texts if text))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells something from all others: `of` is its name, `label` its whole name where that is another."""

    of: str
    label: str
    sha256: str


def fingerprints(subject: Subject) -> Iterator[Fingerprint]:
    """Yield those of all models whose weights were read, of the text and of the original's answers."""
    results = subject.results
    for row in subject.study.rows:
        known = [result.candidate_weights for result in row.fidelity] + ([row.speed.weights] if row.speed else [])
        known += [result.reference_weights for result in results if row.is_original]
        if known:
            yield Fingerprint(subject.names[row.label], one_line(row.label), known[0])
    if subject.header:
        yield Fingerprint("Tokens of the text", "and how they are cut into chunks", subject.header.sample)
    if results:
        yield Fingerprint("Answers of the original", "what all candidates are held against", results[0].answers)
