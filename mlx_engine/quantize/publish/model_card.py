"""Writes the model card of a conversion: metadata for the Hub, and Markdown for readers. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from mlx_engine.amounts import format_disk, format_memory
from mlx_engine.quantize.publish.publish import Conversion

ADDRESS = "https://huggingface.co/"
_usual_task = "text-generation"
_yaml_words = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n", "~"})


@dataclass(frozen=True, slots=True)
class Measurement:
    """A figure, its value and the method of measurement."""

    name: str
    value: str
    method: str


@dataclass(frozen=True, slots=True)
class ModelCard:
    """The data of a card: the conversion, and facts from other sources.

    `base_metadata` are the fields of the base model's card; `memory_bytes` is the estimated memory at run time.
    """

    conversion: Conversion
    repository: str
    license: str
    base_metadata: Mapping[str, Sequence[str]] = field(default_factory=dict)
    measurements: Sequence[Measurement] = ()
    memory_bytes: int = 0
    memory_context: int = 0


def write_card(card: ModelCard) -> str:
    """Return the card, including the metadata block."""
    sections = [
        _metadata(card),
        f"# {card.repository.rpartition('/')[2]}",
        _introduction(card),
        _figures(card),
        _measurements(card.measurements),
        _use(card),
        _recipe(card),
        _deviations(card),
        _provenance(card),
    ]
    return "\n\n".join(filter(None, sections)) + "\n"


def tags(card: ModelCard) -> list[str]:
    """Return the Hub's tags: `mlx`, `facet` and the quantization."""
    quantization = card.conversion.model.quantization.partition(" g")[0].replace("mixed ", "mixed-").replace("/", "-")
    return list(dict.fromkeys(["mlx", "facet", quantization.replace(" ", "-")]))


def _metadata(card: ModelCard) -> str:
    base, metadata = card.conversion.base_model, card.base_metadata
    fields: dict[str, str | Sequence[str]] = {"license": card.license or "unknown"}
    if card.license not in ("", *metadata.get("license", ())) and card.license in metadata.get("license_name", ()):
        fields["license"] = "other"
    if fields["license"] == "other":
        fields |= {name: metadata[name][0] for name in ("license_name", "license_link") if metadata.get(name)}
    if metadata.get("language"):
        fields["language"] = metadata["language"]
    if base:
        fields |= {"base_model": base, "base_model_relation": "quantized"}
    task = (*metadata.get("pipeline_tag", ()), _usual_task)[0]
    fields |= {"library_name": "mlx", "pipeline_tag": task, "tags": tags(card)}
    return "\n".join(["---", *_yaml(fields), "---"])


def _yaml(fields: Mapping[str, str | Sequence[str]]) -> Iterator[str]:
    for name, value in fields.items():
        if isinstance(value, str):
            yield f"{name}: {_scalar(value)}"
        else:
            yield f"{name}:"
            yield from (f"- {_scalar(item)}" for item in value)


def _scalar(value: str) -> str:
    """Return the value as YAML, quoted if it could be read as anything but a string ("no" is a language)."""
    is_plain = value[:1].isalpha() and value.lower() not in _yaml_words and not set(value) & set(":#{}[],&*!|>%@`\"'")
    return value if is_plain else json.dumps(value, ensure_ascii=False)


def _introduction(card: ModelCard) -> str:
    model, note, base = card.conversion.model, card.conversion.note, card.conversion.base_model
    name = f"[{base}]({ADDRESS}{base})" if base else note.source or "a model"
    at = f" at commit [`{note.revision[:8]}`]({ADDRESS}{base}/tree/{note.revision})" if base and note.revision else ""
    more = f" See [the original card]({ADDRESS}{base}) for its capabilities and limitations." if base else ""
    return f"{name}{at} in MLX format, {model.quantization}, for Macs with Apple silicon.{more}"


def _figures(card: ModelCard) -> str:
    model = card.conversion.model
    weights = model.loaded_bytes or model.size_bytes
    rows = [
        ("Parameters", f"{model.parameters:,}"),
        ("Bits per weight", f"{model.bits_per_weight:.3f}, including scales"),
        ("Quantization", model.quantization),
        ("Size on disk", f"{format_disk(model.size_bytes)} ({model.size_bytes:,} bytes)"),
        ("Weights in memory", format_memory(weights)),
    ]
    if card.memory_bytes:
        rows.append((f"Memory at {card.memory_context:,} tokens", f"{format_memory(card.memory_bytes)} (estimate)"))
    return _table(("Property", "Value"), rows)


def _measurements(measurements: Sequence[Measurement]) -> str:
    if not measurements:
        return "## Measurements\n\nNot measured. Run `facet measure` to compare this model with the original."
    return "## Measurements\n\n" + _table(
        ("Figure", "Value", "Method"), [(row.name, row.value, row.method) for row in measurements]
    )


def _use(card: ModelCard) -> str:
    return f"""## Use

```sh
pip install mlx-lm
mlx_lm.chat --model {card.repository}
```

```python
from mlx_lm import generate, load

model, tokenizer = load("{card.repository}")
prompt = tokenizer.apply_chat_template([{{"role": "user", "content": "Hello"}}], add_generation_prompt=True)
print(generate(model, tokenizer, prompt=prompt))
```"""


def _recipe(card: ModelCard) -> str:
    note = card.conversion.note
    purpose = str(note.settings.get("purpose", ""))
    summary = " ".join(filter(None, (note.recipe, purpose)))
    if not note.settings:
        return f"## Recipe\n\n{summary}"
    text = msgspec.json.format(msgspec.json.encode(note.settings), indent=2).decode()
    return f"## Recipe\n\n{summary} As a file for `facet convert --recipe FILE.json`:\n\n```json\n{text}\n```"


def _deviations(card: ModelCard) -> str:
    note = card.conversion.note
    lines = [*(f"- Not quantized: `{_cell(path)}` ({reason})." for path, reason in map(_split, note.unquantized))]
    lines += [f"- {sentence}" for sentence in note.notes]
    return "## Deviations from the recipe\n\n" + "\n".join(lines) if lines else ""


def _split(line: str) -> tuple[str, str]:
    path, _, reason = line.partition(": ")
    return path, reason


def _provenance(card: ModelCard) -> str:
    note = card.conversion.note
    tools = ", ".join(f"{name} {version}" for name, version in note.tools.items())
    start = f"Converted on {note.created[:10]}" if note.created else "Converted"
    lines = [f"{start} with Facet ({tools})." if tools else f"{start} with Facet."]
    lines.append("`facet.json` in this repository has the same information for programs.")
    if note.files_sha256:
        files = [(f"`{_cell(name)}`", f"`{digest}`") for name, digest in note.files_sha256.items()]
        lines.append("Source files:\n\n" + _table(("File", "SHA-256"), files))
    return "## Provenance\n\n" + "\n\n".join(lines)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
