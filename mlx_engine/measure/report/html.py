"""A study as one HTML file that stands alone: it asks the network for nothing, and is read without its script.

The page forbids itself all that it does not need (Content-Security-Policy), so that no text in it could ever act: names
of models and tokens are written by strangers.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from importlib import resources

import msgspec

from mlx_engine.measure.report import figures
from mlx_engine.measure.report.columns import AGREEMENTS, DISTRIBUTION, MAIN, Column
from mlx_engine.measure.report.facts import Fact, Fingerprint, conditions, facts, fingerprints, machines, scored
from mlx_engine.measure.report.markup import Markup, element, joined
from mlx_engine.measure.report.subject import Subject, failures
from mlx_engine.measure.report.summary import AIMS, limits, role, summary, verdicts
from mlx_engine.measure.report.tables import columns_table, kinds_table, speed_table
from mlx_engine.measure.report.worst import worst
from mlx_engine.measure.results.safe_characters import one_line, sentence

Section = tuple[str, str, Markup]
"""An identifier, a title and the content."""


def html(subject: Subject) -> str:
    """Return the document."""
    return f"<!doctype html>\n{element('html', _head(subject), _body(subject), lang='en')}\n"


def title(subject: Subject) -> str:
    return f"What quantizations of {subject.original} cost"


def _head(subject: Subject) -> Markup:
    style, script = _resource("report.css") + figures.colours(), _resource("sort.js")
    allowed = (
        "default-src 'none'; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=allowed),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="generator", content="Facet"),
        element("title", title(subject)),
        element("style", Markup(style)),
        element("script", Markup(script), type="module"),
    )


def _resource(name: str) -> str:
    return (resources.files("resources") / "report" / name).read_text(encoding="utf-8")


def _body(subject: Subject) -> Markup:
    sections = [section for section in _sections(subject) if section[2]]
    links = (element("a", words, href=f"#{key}") for key, words, _ in sections)
    parts = (
        element("section", element("h2", words), content, id=key, aria_label=words) for key, words, content in sections
    )
    foot = "Made by Facet. Nothing in this file is loaded from elsewhere."
    return element("body", _top(subject), element("nav", *links), *parts, element("footer", foot, class_="note"))


def _top(subject: Subject) -> Markup:
    told = [one_line(subject.study.plan.name), machines(subject), subject.study.created[:10]]
    sentences = (element("p", sentence) for sentence in summary(subject))
    return element(
        "header",
        element("h1", title(subject)),
        element("p", " · ".join(filter(None, told)), class_="subtitle"),
        element("div", *sentences, class_="summary"),
    )


def _sections(subject: Subject) -> Iterator[Section]:
    study, samples = subject.study, subject.samples
    measured = [sample for sample in samples if sample.found and not sample.is_reference]
    yield "table", "Candidates", joined(_main_table(subject), _gates(subject))
    yield "charts", "Cost and loss", joined(*figures.trade_offs(study) if measured else ())
    if any(len(result.by_kind) > 1 for result in subject.results):
        yield "kinds", "By kind of text", joined(figures.by_kind(study), _note(_kinds), kinds_table(measured))
    if subject.results:
        yield "spread", "Spread", joined(*_spread(subject))
        yield "worst", "Worst positions", joined(_note(_farthest), *worst(measured))
    if subject.speeds:
        yield "speed", "Speed", joined(_note(_speeds), _speed(subject), *_skipped(subject))
    yield "method", "Method", _definitions(facts(subject))
    if known := list(map(_fingerprint, fingerprints(subject))):
        yield "fingerprints", "Fingerprints", joined(_note(_sha), _definitions(known))
    yield "recipes", "Recipes", joined(*_recipes(subject))
    yield "failures", "What failed", _definitions([(subject.names[label], words) for label, words in failures(study)])


_kinds = "Mean KL in nats, ± one standard error, and how often the choice is the same."
_farthest = (
    "Of each candidate, the twenty positions with the greatest KL. The token that really follows is marked; ␣ is a "
    "space, ↵ a line break. Beside each other, the five likeliest tokens by the original and by the candidate."
)
_speeds = "Tokens per second: the median, and below it the slowest and the fastest time."
_sha = "SHA-256. The same fingerprint means the same weights, tokens or answers, whatever they are called."


def _note(words: str) -> Markup:
    return element("p", words, class_="note")


def _main_table(subject: Subject) -> Markup:
    words = {sample.key: sentence(told) for sample, told in verdicts(subject)}
    label = subject.judgement.winner.label if subject.judgement and subject.judgement.winner else None
    samples = subject.samples
    told = columns_table(
        samples,
        MAIN,
        winner=next((sample for sample in samples if sample.row.label == label), None),
        words=lambda sample: words.get(sample.key, sentence(role(subject))),
    )
    return joined(told, _meanings(MAIN))


def _meanings(columns: Sequence[Column]) -> Markup:
    pairs = _definitions([(column.title, column.meaning) for column in columns])
    return element("details", element("summary", "What the columns mean"), pairs, class_="key")


def _gates(subject: Subject) -> Markup:
    gates, judgement = subject.study.plan.gates, subject.judgement
    if gates is None or judgement is None:
        return Markup()
    told = element("p", f"Wanted is {AIMS[gates.prefer]} within the limits: {limits(gates)}.")
    why = [(subject.names[label], sentence("; ".join(reasons))) for label, reasons in judgement.obstacles.items()]
    return joined(element("h3", "Limits"), told, _definitions(why))


def _spread(subject: Subject) -> Iterator[Markup]:
    measured = [sample for sample in subject.samples if sample.found and not sample.is_reference]
    if any(result.kl_counts for result in subject.results):
        yield figures.spread(subject.study)
    yield _note("KL of single positions, in nats.")
    yield columns_table(measured, DISTRIBUTION)
    yield element("h3", "Agreement, and certainty")
    yield columns_table(measured, AGREEMENTS)
    yield _meanings((*DISTRIBUTION, *AGREEMENTS))
    yield _note(f"Over {scored(subject.results[0])}.")


def _speed(subject: Subject) -> Markup:
    found = conditions(subject)
    differ = found if len(set(found.values())) > 1 else {}
    return speed_table(subject.study.rows, subject.names, differ)


def _skipped(subject: Subject) -> Iterator[Markup]:
    for row in subject.study.rows:
        if row.speed and (told := (*row.speed.skipped, *row.speed.failures)):
            yield _note(f"{subject.names[row.label]}: {'; '.join(map(one_line, told))}.")


def _recipes(subject: Subject) -> Iterator[Markup]:
    for row in subject.study.rows:
        told = f" · {one_line(row.quantization)}" if row.quantization else ""
        head = element("summary", element("bdi", subject.names[row.label]), element("small", told))
        if row.recipe:
            recipe = msgspec.json.format(msgspec.json.encode(row.recipe), indent=2).decode()
            yield element("details", head, element("pre", recipe))


def _fingerprint(found: Fingerprint) -> Fact:
    return found.of, joined(found.label, element("br"), element("code", found.sha256))


def _definitions(pairs: Sequence[Fact]) -> Markup:
    if not pairs:
        return Markup()
    told = (joined(element("dt", element("bdi", key)), element("dd", words)) for key, words in pairs)
    return element("dl", *told)
