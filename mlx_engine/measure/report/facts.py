"""The method of a study: text, conventions, machine and versions, in the same sentences in every document.

`fidelity.py` and `comparison.py` compute KL divergence, perplexity and their errors; `speed.py` measures speed.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mlx_engine.amounts import format_number
from mlx_engine.measure.figures.figures import DECODE_SPEED, PREFILL_SPEED
from mlx_engine.measure.report.shareable import is_user_text, name_of
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.safe_characters import one_line, sentence
from mlx_engine.measure.results.speed_result import SpeedResult

Fact = tuple[str, str]


def facts(subject: Subject) -> list[Fact]:
    """Return everything needed to repeat the measurements."""
    return [*_fidelity(subject), *_speed(subject), *_around(subject)]


def convention(result: FidelityResult) -> str:
    """Return how the text is cut and scored, and which other tool does the same."""
    like = "as mlx_lm.perplexity does" if "all positions" in result.convention else "as llama-perplexity does"
    return sentence(f"{one_line(result.convention)}, {like}; each chunk is read independently")


def scored(result: FidelityResult) -> str:
    """Return the amount of text: "1,984 positions in 16 chunks of Facet's own texts"."""
    fidelity = result.fidelity
    return f"{fidelity.positions:,} positions in {fidelity.chunks:,} chunks of {corpus(result)}"


def corpus(result: FidelityResult) -> str:
    name, _, kinds = result.corpus.partition(":")
    if name != "facet":
        return one_line(name_of(result.corpus))
    return f"Facet's own texts ({kinds.replace('+', ', ')})" if kinds else "Facet's own texts"


def machines(subject: Subject) -> str:
    """Return the machines, in one line."""
    measured: tuple[FidelityResult | SpeedResult, ...] = (*subject.results, *subject.speeds)
    return "; ".join(_unique(result.machine for result in measured))


def tools(subject: Subject) -> str:
    """Return the versions of the tools: "facet 0.1.0, mlx 0.32.4"."""
    measured: tuple[FidelityResult | SpeedResult, ...] = (*subject.results, *subject.speeds)
    return ", ".join(_unique(f"{name} {version}" for result in measured for name, version in result.tools.items()))


_DIVERGENCE = (
    "KL(original ‖ candidate) = Σ p ln(p/q) over all next tokens, p by the original and q by the candidate, in nats. "
    "± is one standard error, clustered by chunk, because the tokens of a chunk depend on each other."
)
_PERPLEXITY = "exp of the mean of ln(1/p) over the scored positions, where p is that of the actual next token."
_SAME_INPUT = (
    "The original's chat template was applied and the text tokenized once; all models read the same token IDs. A "
    "candidate with another tokenizer or another vocabulary is refused."
)
_SAMPLING = (
    "Nothing is sampled, so there is no seed: all models read the same text and predict the next token at each "
    "position. Conversations include their answers; no model generates its own."
)


def _fidelity(subject: Subject) -> Iterator[Fact]:
    results = subject.results
    if not results:
        return
    first = results[0]
    if subject.header and subject.header.notes:
        yield "Original", one_line(" ".join(subject.header.notes))
    yield "Divergence", _DIVERGENCE
    yield "Perplexity", _PERPLEXITY
    yield "Text", f"{scored(first)}{_read_tokens(subject)}."
    if first.private:
        yield "Private", "The text is private: this report quotes none of it."
    elif is_user_text(subject.study.plan.corpus) and not any(result.worst for result in results):
        yield "Passages", "The text is a local file: this report quotes none of it."
    if first.by_kind:
        yield "Kinds", ", ".join(f"{one_line(kind)} ({of_kind.positions:,})" for kind, of_kind in first.by_kind.items())
    yield "Convention", convention(first)
    yield "Same input", _SAME_INPUT
    yield "Sampling", _SAMPLING
    yield "KV cache", f"16 bits for the original, {_bits(results)} bits for the candidates."
    yield "Error bound", _error_bound(subject, results)


def _read_tokens(subject: Subject) -> str:
    if subject.header is None:
        return ""
    size = subject.header.convention.chunk_tokens
    return f", {len(subject.header.kinds) * size:,} tokens read, of a vocabulary of {subject.header.vocabulary:,}"


def _error_bound(subject: Subject, results: Sequence[FidelityResult]) -> str:
    bound = max(result.fidelity.kl_error_bound for result in results)
    return (
        f"{_stored(subject.study.plan.tail_mass)}Mean KL over the whole vocabulary is within {format_number(bound)} "
        "nats of the figure shown, for every candidate: the largest rounding error plus four standard errors of the "
        "sample."
    )


def _stored(tail_mass: float) -> str:
    if tail_mass == 0:
        return "The original's probabilities are stored for all tokens, in 16 bits. "
    return (
        "The original's probabilities are stored in 16 bits for the most likely tokens of each position; the rest, at "
        f"most {tail_mass:g} of the probability, is represented by a sample. "
    )


def _bits(results: Iterable[FidelityResult]) -> str:
    bits = [str(bits) for bits in sorted({result.cache_bits for result in results}, reverse=True)]
    return " and ".join(bits) if len(bits) < 3 else f"{', '.join(bits[:-1])} and {bits[-1]}"


def _speed(subject: Subject) -> Iterator[Fact]:
    if not subject.speeds:
        return
    plan = subject.speeds[0].plan
    yield (
        "Speed",
        (
            f"Median of {plan.repetitions} after a warm-up. {PREFILL_SPEED.title}: prompt tokens until the first "
            f"generated token. {DECODE_SPEED.title}: {plan.decode_tokens} tokens generated after a context of that "
            f"length, with a {plan.cache_bits}-bit KV cache. *: the runs differ by more than 20%."
        ),
    )
    yield "Conditions", _conditions(subject)


def conditions(subject: Subject) -> dict[str, str]:
    """Return the conditions under which speed was measured, by the label of the model."""
    return {row.label: row.speed.conditions.text for row in subject.study.rows if row.speed}


def _conditions(subject: Subject) -> str:
    distinct = set(conditions(subject).values())
    return distinct.pop() if len(distinct) == 1 else "Not the same for all models: see the table of speeds."


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


def _unique(texts: Iterable[str]) -> list[str]:
    """Return the texts that are not empty, each once, in order."""
    return list(dict.fromkeys(one_line(text) for text in texts if text))


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A hash that identifies a file or a text; `label` adds to the name `of`."""

    of: str
    label: str
    sha256: str


def fingerprints(subject: Subject) -> Iterator[Fingerprint]:
    """Yield the fingerprints of all models that were read, of the text and of the original's predictions."""
    results = subject.results
    for row in subject.study.rows:
        weights = [result.candidate_weights for result in row.fidelity] + ([row.speed.weights] if row.speed else [])
        weights += [result.reference_weights for result in results if row.is_original]
        if weights:
            yield Fingerprint(subject.names[row.label], one_line(row.label), weights[0])
    if subject.header:
        yield Fingerprint("Tokens of the text", "and their division into chunks", subject.header.sample)
    if results:
        yield Fingerprint("Predictions of the original", "the reference of all candidates", results[0].reference_key)
