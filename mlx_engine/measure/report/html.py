"""A study as a self-contained HTML file: it loads nothing from the network and is readable without its script.

A Content-Security-Policy forbids all that the page does not need, because names of models and tokens come from
strangers and must never run as code.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from importlib import resources

import msgspec

from mlx_engine.measure.figures.figure import Figure
from mlx_engine.measure.figures.figures import AGREEMENT, DISTRIBUTION, FIGURES, MEAN_KL, TOP1_AGREEMENT
from mlx_engine.measure.figures.limits import AIMS, format_limits
from mlx_engine.measure.report import charts
from mlx_engine.measure.report.facts import Fact, Fingerprint, conditions, facts, fingerprints, machines, scored
from mlx_engine.measure.report.markup import Markup, element, joined
from mlx_engine.measure.report.subject import Subject, failures
from mlx_engine.measure.report.summary import role, summary, verdicts
from mlx_engine.measure.report.tables import figures_table, kinds_table, speed_table
from mlx_engine.measure.report.worst import worst
from mlx_engine.measure.results.safe_characters import one_line, sentence

Section = tuple[str, str, Markup]
"""An identifier, a title and the content."""


def html(subject: Subject) -> str:
    """Return the document."""
    return f"<!doctype html>\n{element('html', _head(subject), _body(subject), lang='en')}\n"


def title(subject: Subject) -> str:
    return f"Quantizations of {subject.original} compared"


def _head(subject: Subject) -> Markup:
    style, script = _resource("report.css") + charts.colors(), _resource("sort.js")
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
    links = (element("a", heading, href=f"#{key}") for key, heading, _ in sections)
    parts = (
        element("section", element("h2", heading), content, id=key, aria_label=heading)
        for key, heading, content in sections
    )
    foot = "Made by Facet. This file loads nothing from the network."
    return element("body", _top(subject), element("nav", *links), *parts, element("footer", foot, class_="note"))


def _top(subject: Subject) -> Markup:
    subtitle = [one_line(subject.study.plan.name), machines(subject), subject.study.created[:10]]
    sentences = (element("p", sentence) for sentence in summary(subject))
    return element(
        "header",
        element("h1", title(subject)),
        element("p", " · ".join(filter(None, subtitle)), class_="subtitle"),
        element("div", *sentences, class_="summary"),
    )


def _sections(subject: Subject) -> Iterator[Section]:
    study, samples = subject.study, subject.samples
    measured = [sample for sample in samples if sample.fidelity]
    yield "table", "Candidates", joined(_main_table(subject), _gates(subject))
    yield "charts", "Cost and loss", joined(*charts.trade_offs(study) if measured else ())
    if any(len(result.by_kind) > 1 for result in subject.results):
        yield "kinds", "By kind of text", joined(charts.by_kind(study), _note(_kinds), kinds_table(measured))
    if subject.results:
        yield "spread", "Spread", joined(*_spread(subject))
        yield "worst", "Worst positions", joined(_note(_farthest), *worst(measured))
    if subject.speeds:
        yield "speed", "Speed", joined(_note(_speeds), _speed(subject), *_skipped(subject))
    yield "method", "Method", _definitions(facts(subject))
    if hashes := list(map(_fingerprint, fingerprints(subject))):
        yield "fingerprints", "Fingerprints", joined(_note(_sha), _definitions(hashes))
    yield "recipes", "Recipes", joined(*_recipes(subject))
    yield "failures", "Failures", _definitions([(subject.names[label], failure) for label, failure in failures(study)])


_kinds = f"{MEAN_KL.title} ± one standard error, and {TOP1_AGREEMENT.title_in_sentence}."
_farthest = (
    "The twenty positions of each candidate with the highest KL. The actual next token is highlighted; ␣ is a space, "
    "↵ a line break. Below it, the five most likely tokens of the original and of the candidate."
)
_speeds = "Median, with the slowest and the fastest run."
_sha = "SHA-256. The same fingerprint means the same weights, tokens or predictions, under any name."


def _note(text: str) -> Markup:
    return element("p", text, class_="note")


def _main_table(subject: Subject) -> Markup:
    notes = {sample.key: sentence(verdict) for sample, verdict in verdicts(subject)}
    label = subject.judgement.best.label if subject.judgement and subject.judgement.best else None
    samples = subject.samples
    table = figures_table(
        samples,
        FIGURES,
        best=next((sample for sample in samples if sample.row.label == label), None),
        note=lambda sample: notes.get(sample.key, sentence(role(subject))),
    )
    return joined(table, _meanings(FIGURES))


def _meanings(figures: Sequence[Figure]) -> Markup:
    pairs = _definitions([(figure.title, figure.meaning) for figure in figures])
    return element("details", element("summary", "Meaning of the columns"), pairs, class_="key")


def _gates(subject: Subject) -> Markup:
    gates, judgement = subject.study.plan.gates, subject.judgement
    if gates is None or judgement is None:
        return Markup()
    aim = element("p", f"The best is {AIMS[gates.prefer]} within the limits: {format_limits(gates)}.")
    why = [(subject.names[label], sentence("; ".join(reasons))) for label, reasons in judgement.obstacles.items()]
    return joined(element("h3", "Limits"), aim, _definitions(why))


def _spread(subject: Subject) -> Iterator[Markup]:
    measured = [sample for sample in subject.samples if sample.fidelity]
    if any(result.kl_counts for result in subject.results):
        yield charts.spread(subject.study)
    yield _note("KL divergence over positions.")
    yield figures_table(measured, DISTRIBUTION)
    yield element("h3", "Agreement and certainty")
    yield figures_table(measured, AGREEMENT)
    yield _meanings((*DISTRIBUTION, *AGREEMENT))
    yield _note(f"Over {scored(subject.results[0])}.")


def _speed(subject: Subject) -> Markup:
    by_label = conditions(subject)
    differing = by_label if len(set(by_label.values())) > 1 else {}
    return speed_table(subject.study.rows, subject.names, differing)


def _skipped(subject: Subject) -> Iterator[Markup]:
    for row in subject.study.rows:
        if row.speed and (reasons := (*row.speed.skipped, *row.speed.failures)):
            yield _note(f"{subject.names[row.label]}: {'; '.join(map(one_line, reasons))}.")


def _recipes(subject: Subject) -> Iterator[Markup]:
    for row in subject.study.rows:
        quantization = f" · {one_line(row.quantization)}" if row.quantization else ""
        head = element("summary", element("bdi", subject.names[row.label]), element("small", quantization))
        if row.recipe:
            recipe = msgspec.json.format(msgspec.json.encode(row.recipe), indent=2).decode()
            yield element("details", head, element("pre", recipe))


def _fingerprint(fingerprint: Fingerprint) -> Fact:
    return fingerprint.of, joined(fingerprint.label, element("br"), element("code", fingerprint.sha256))


def _definitions(pairs: Sequence[Fact]) -> Markup:
    if not pairs:
        return Markup()
    items = (joined(element("dt", element("bdi", term)), element("dd", text)) for term, text in pairs)
    return element("dl", *items)
