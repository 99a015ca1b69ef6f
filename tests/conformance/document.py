"""Writes docs/models.md from the table: `python -m tests.conformance | python -m tests.conformance.document`."""

import datetime
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

_target = Path(__file__).parents[2] / "docs" / "models.md"
_forms = ("older", "newer", "fused")
_row = re.compile(r"(?P<model>\S+?)(?:-(?P<form>older|newer|fused))?\s+(?P<kind>\w+)\s+(?P<detail>.*)")
_introduction = """\
# Models

Facet runs the networks of mlx-lm. It shows a model as runnable if its network computes the same as its reference
implementation in transformers; any other model is refused, with the reason, before it is loaded.

## How this is checked

`python -m tests.conformance` builds a tiny model of every architecture that transformers and mlx-lm both have, with
transformers' own classes and random weights, and with the features of its family switched on: scaled positions,
sliding windows of 32 tokens, tied embeddings, biases, mixtures. The model is saved as most repositories have it
(*older*), as transformers 5 saves it (*newer*), and with the tensors of transformers' own networks (*fused*). Facet
reads 96 tokens in one go and in steps; the largest difference is divided by the standard deviation of the logits:

- **equal**: below 0.001. **close**: below 0.02. **WRONG**: anything above.
- **refused**: Facet does not run it. **unbuilt**: transformers could not build the tiny model.

Everything is computed in float32 on a CPU, so these figures say nothing about rounding on a GPU. To repeat it:

    ./setup_macos.sh test
    .venv/bin/pip install --no-deps --require-hashes -r requirements-conformance.lock
    .venv/bin/python -m tests.conformance | .venv/bin/python -m tests.conformance.document

The tests include 21 of these models with stored logits (`python -m tests.conformance.expectations` updates them), so
they need no torch.

## Known differences

- Gemma 3: transformers multiplies the embeddings by the square root of the hidden size rounded to bfloat16, as in
  training; in float32 the difference is below 0.0003.
- GPT-2, StarCoder2 and others: GELU in its exact form or by tanh; below 0.001.
- Nemotron-H: transformers limits time steps from below by `time_step_min`. NVIDIA's own code and llama.cpp apply
  `time_step_limit` instead, and so does Facet.
- Longrope (Phi-3, Phi-4-mini): transformers chooses the factors by the length of the whole context. Facet does too;
  when an answer crosses the boundary, the context is read again.
- PhiMoE: beyond that boundary transformers keeps the factors for short contexts. Microsoft's own code changes them,
  and so does Facet.

"""


def main() -> None:
    rows = [match for line in sys.stdin if (match := _row.fullmatch(line.strip())) and match["kind"] != "WRITING"]
    _target.write_text("\n".join(_document(rows)).rstrip() + "\n", encoding="utf-8")


def _document(rows: Iterable[re.Match[str]]) -> Iterator[str]:
    kinds: Counter[str] = Counter()
    models: dict[str, dict[str, re.Match[str]]] = {}
    for row in rows:
        if row["form"] or row["kind"] == "unbuilt":
            kinds[row["kind"]] += 1
            models.setdefault(row["model"], {})[row["form"] or ""] = row
    yield _introduction.rstrip()
    yield "\n## Results\n"
    packages = ", ".join(f"{name} {version(name)}" for name in ("transformers", "torch", "mlx-lm", "mlx"))
    counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    yield f"{datetime.date.today().isoformat()}, {packages}: {counts}.\n"
    yield "| model | older | newer | fused |\n| --- | --- | --- | --- |"
    yield from (_line(name, by_form) for name, by_form in models.items())
    yield "\n## Refused\n"
    yield from _reasons(models)


def _line(name: str, by_form: Mapping[str, re.Match[str]]) -> str:
    if "" in by_form:
        return f"| {name} | unbuilt | | |"
    return f"| {name} | {' | '.join(_cell(by_form.get(form)) for form in _forms)} |"


def _cell(row: re.Match[str] | None) -> str:
    if row is None:
        return ""
    return f"{row['kind']} {row['detail']}" if row["kind"] in ("equal", "close", "WRONG") else row["kind"]


def _reasons(models: Mapping[str, Mapping[str, re.Match[str]]]) -> Iterator[str]:
    for name, by_form in models.items():
        refused = {form: row["detail"] for form, row in by_form.items() if row["kind"] in ("refused", "failed")}
        if refused:
            yield f"- {name} ({', '.join(refused)}): {next(iter(refused.values()))}"


if __name__ == "__main__":
    main()
