"""What was measured as Markdown, as GitHub and the Hub show it: for a whole study, and of one model for its card."""

import re
from collections.abc import Iterable, Iterator, Sequence

from mlx_engine.amounts import format_number
from mlx_engine.measure.charts.quantities import Sample
from mlx_engine.measure.report.columns import MAIN
from mlx_engine.measure.report.facts import convention, machines, scored, tools
from mlx_engine.measure.report.one_model import of_fidelity, of_speed
from mlx_engine.measure.report.shareable import name_of
from mlx_engine.measure.report.subject import Subject, failures
from mlx_engine.measure.report.summary import summary, verdicts
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.verdicts import verdict
from mlx_engine.measure.study.study import Row

# All that means something in Markdown or HTML within a line, and "@", which would call somebody on GitHub.
_special = re.compile(r"^[-+](?=\s)|(?<=^\d)[.)](?=\s)|[\\`*_\[\]<>#|~$@&]|:(?=//)")


def markdown(subject: Subject) -> str:
    """Return a report of the study: sentences, the table, what it means, and how it was measured."""
    parts = [
        f"# What quantizations of {escaped(subject.original)} cost",
        "\n".join(f"- {escaped(sentence)}" for sentence in summary(subject)),
        _table(subject.samples),
        "\n".join(f"- {escaped(sample.name)}: {escaped(words)}." for sample, words in verdicts(subject)),
        *_failures(subject),
        "## How it was measured",
        _method(subject),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def card(row: Row) -> str:
    """Return the section of a model's card that says what the model loses against its original, "" if nobody knows."""
    lines = [line for result in row.fidelity for line in of_fidelity(result)]
    lines += of_speed(row.speed) if row.speed else ()
    if not lines:
        return ""
    found = row.fidelity_at(16)
    parts = [
        "## What was lost",
        f"Against {escaped(name_of(found.reference))}, {escaped(verdict(found.fidelity))}." if found else "",
        _rows(["Figure", "Value", "How"], ([line.name, line.value, line.how] for line in lines)),
        _how(row.fidelity) if row.fidelity else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def escaped(text: str) -> str:
    """Return `text` so that it is shown as it is, within a line."""
    return _special.sub(r"\\\g<0>", one_line(text, 400))


def _table(samples: Sequence[Sample]) -> str:
    columns = [column for column in MAIN if any(column.text(sample) for sample in samples)]
    rows = ([sample.name, *(column.text(sample) for column in columns)] for sample in samples)
    return _rows(["Model", *(column.title for column in columns)], rows)


def _rows(head: Sequence[str], rows: Iterable[list[str]]) -> str:
    rule = ["---", *("---" if title == "How" else "---:" for title in head[1:])]
    lines = [list(map(escaped, head)), rule, *(list(map(escaped, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _failures(subject: Subject) -> Iterator[str]:
    found = [f"- {escaped(label)}: {escaped(words)}" for label, words in failures(subject.study)]
    if found:
        yield "## What failed"
        yield "\n".join(found)


def _method(subject: Subject) -> str:
    sentences = [_how(subject.results)] if subject.results else []
    if subject.speeds:
        plan = subject.speeds[0].plan
        sentences.append(f"Speeds are medians of {plan.repetitions} after a warm-up; a star marks a disturbed one.")
    if machine := machines(subject):
        sentences.append(f"Machine: {escaped(machine)}.")
    if versions := tools(subject):
        sentences.append(f"Measured with {escaped(versions)}.")
    return " ".join(sentences) or "Nothing has been measured yet."


def _how(results: Sequence[FidelityResult]) -> str:
    """Return the paragraph by which somebody knows what the figures are."""
    first = results[0]
    bound = max(result.fidelity.kl_error_bound for result in results)
    stand_in = (
        " 8-bit weights stood in for the original. What those lose is missing: the divergences are lower bounds."
        if first.is_stand_in
        else ""
    )
    return (
        f"KL is KL(original ‖ candidate) of the next token in nats, over {escaped(scored(first))}, known to within "
        f"{format_number(bound)} nats; ± is one standard error, clustered by chunk. {escaped(convention(first))} The "
        f"template was applied and the text tokenized once, and all models read the same token ids.{stand_in}"
    )
