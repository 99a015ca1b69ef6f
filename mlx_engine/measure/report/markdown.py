"""Reports as Markdown for GitHub and the Hub: of a whole study, and of one model for its card."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mlx_engine.amounts import format_number
from mlx_engine.measure.figures.format import columns
from mlx_engine.measure.figures.sample import Sample
from mlx_engine.measure.report.facts import convention, machines, scored, tools
from mlx_engine.measure.report.one_model import of_fidelity, of_speed
from mlx_engine.measure.report.shareable import name_of
from mlx_engine.measure.report.subject import Subject, failures
from mlx_engine.measure.report.summary import summary, verdicts
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.study import Row

# All that has a meaning in Markdown or HTML within a line, and "@", which would notify a user of GitHub.
_TEXT_COLUMNS = frozenset({"Model", "Figure", "Method", "Verdict"})
_special = re.compile(r"^[-+](?=\s)|(?<=^\d)[.)](?=\s)|[\\`*_\[\]<>#|~$@&]|:(?=//)")


def markdown(subject: Subject) -> str:
    """Return a report of the study: summary, table, verdicts and method."""
    parts = [
        f"# Quantizations of {escaped(subject.original)} compared",
        "\n".join(f"- {escaped(sentence)}" for sentence in summary(subject)),
        _table(subject.samples),
        "\n".join(f"- {escaped(sample.name)}: {escaped(verdict)}." for sample, verdict in verdicts(subject)),
        *_failures(subject),
        "## How it was measured",
        _method(subject),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def card(row: Row) -> str:
    """Return the section of a model's card about its loss against the original, "" if it was not measured."""
    lines = [line for result in row.fidelity for line in of_fidelity(result)]
    lines += of_speed(row.speed) if row.speed else ()
    if not lines:
        return ""
    result = row.fidelity_at(16)
    parts = [
        "## Quality loss",
        f"Compared with {escaped(name_of(result.reference))}: {escaped(verdict(result.fidelity))}." if result else "",
        table(["Figure", "Value", "Method"], ([line.name, line.value, line.method] for line in lines)),
        _how(row.fidelity) if row.fidelity else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def escaped(text: str) -> str:
    """Return `text` escaped, so that it is shown literally within a line."""
    return _special.sub(r"\\\g<0>", one_line(text, 400))


def _table(samples: Sequence[Sample]) -> str:
    filled = [column for column in columns(samples) if any(map(column.text, samples))]
    rows = ([sample.name, *(column.text(sample) for column in filled)] for sample in samples)
    return table(["Model", *(column.heading for column in filled)], rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of figures, which are aligned to the right."""
    rule = ["---" if title in _TEXT_COLUMNS else "---:" for title in head]
    lines = [list(map(escaped, head)), rule, *(list(map(escaped, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _failures(subject: Subject) -> Iterator[str]:
    lines = [f"- {escaped(label)}: {escaped(failure)}" for label, failure in failures(subject.study)]
    if lines:
        yield "## Failures"
        yield "\n".join(lines)


def _method(subject: Subject) -> str:
    sentences = [_how(subject.results)] if subject.results else []
    if subject.speeds:
        plan = subject.speeds[0].plan
        sentences.append(f"Speeds are medians of {plan.repetitions} after a warm-up; * marks an unreliable one.")
    if machine := machines(subject):
        sentences.append(f"Machine: {escaped(machine)}.")
    if versions := tools(subject):
        sentences.append(f"Measured with {escaped(versions)}.")
    return " ".join(sentences) or "Nothing has been measured yet."


def _how(results: Sequence[FidelityResult]) -> str:
    """Return a paragraph that defines the figures."""
    first = results[0]
    bound = max(result.fidelity.kl_error_bound for result in results)
    stand_in = (
        " An 8-bit copy replaced the original; its own loss is not included, so divergences are lower bounds."
        if first.is_stand_in
        else ""
    )
    return (
        f"KL is KL(original ‖ candidate) of the next token in nats, over {escaped(scored(first))}, known to within "
        f"{format_number(bound)} nats; ± is one standard error, clustered by chunk. {escaped(convention(first))} The "
        f"chat template was applied and the text tokenized once; all models read the same token IDs.{stand_in}"
    )
