"""Finds models on the Hub: the search, what it tells of each repository, and which of them belong together."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from huggingface_hub.hf_api import ExpandModelProperty_T, ModelInfo

from mlx_engine.hub_messages import ModelGroup, SearchFilters, SearchOrder, Variant
from mlx_engine.models.description.size_class import size_class
from mlx_engine.models.hub.client import Hub, model_info
from mlx_engine.modes import MODES

_told: list[ExpandModelProperty_T] = [
    "author",
    "baseModels",
    "cardData",
    "config",
    "downloads",
    "gated",
    "lastModified",
    "library_name",
    "likes",
    "safetensors",
    "tags",
]
_orders: Mapping[SearchOrder, str] = {"downloads": "downloads", "likes": "likes", "recent": "lastModified"}
_bits = {"F64": 64, "I64": 64, "F32": 32, "U32": 32, "I32": 32, "BF16": 16, "F16": 16, "I16": 16, "U16": 16}
"""Of an element of each type; all others have 8."""
_float_names = {"BF16": "bf16", "F16": "fp16", "F32": "fp32"}
_bits_in_name = re.compile(r"(?<![a-z0-9])([2-8])[-_]?bits?(?![a-z0-9])", re.IGNORECASE)
_conversion_suffix = re.compile(
    r"([-_](mlx|balanced|[2-8][-_]?bit(-g\d+)?|bf16|fp16|fp32|f16|[qw]\d\w*|dwq\w*|awq|gptq|gguf|hi|"
    rf"{'|'.join(MODES)}))+$",
    re.IGNORECASE,
)


def search(filters: SearchFilters, hub: Hub) -> tuple[ModelGroup, ...]:
    """Return the models that suit `filters`, grouped by what they were made from.

    Raises:
        HubError: the Hub refuses or cannot be reached.
    """
    with hub.translate_errors("the search"):
        found = islice(_rows(_question(filters), hub), max(1, filters.limit))
        variants = [variant_of(model_info(row)) for row in found]
    return group_variants(variant for variant in variants if _suits(variant, filters))


def _question(filters: SearchFilters) -> dict[str, Any]:
    """Return the filters as the Hub's API takes them (https://huggingface.co/docs/hub/api)."""
    tags = [tag for tag in ("mlx" if filters.only_mlx else "", filters.license and f"license:{filters.license}") if tag]
    question: dict[str, Any] = {
        "search": filters.text.strip(),
        "author": filters.author,
        "filter": tags,
        "pipeline_tag": "text-generation" if filters.only_text_generation else "",
        "sort": _orders[filters.order],
        "limit": max(1, filters.limit),
        "expand": _told,
    }
    asked = {name: value for name, value in question.items() if value}
    return asked if filters.gated is None else asked | {"gated": filters.gated}


def _rows(question: Mapping[str, Any], hub: Hub) -> Iterator[dict[str, Any]]:
    """Yield what was found, page after page."""
    answer = hub.get("/api/models", question)
    yield from answer.json()
    while following := answer.links.get("next", {}).get("url"):
        # Of that address only the question: the host is no place to send a token to.
        answer = hub.get("/api/models?" + urlsplit(following).query)
        yield from answer.json()


def group_variants(variants: Iterable[Variant]) -> tuple[ModelGroup, ...]:
    """Gather the variants of each base model, copies of it by other owners included; all keep their order."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(variant.base_model.rpartition("/")[2].casefold(), []).append(variant)
    return tuple(ModelGroup(_best_name(members), tuple(members)) for members in groups.values())


def variant_of(info: ModelInfo) -> Variant:
    """Return what the Hub tells of one repository; what it does not tell is empty."""
    tags = info.tags or []
    counts = info.safetensors.parameters if info.safetensors else {}
    bits = _quantized_bits(info, tags)
    return Variant(
        repository=info.id,
        base_model=_base_model(info, tags),
        is_mlx="mlx" in tags or info.library_name == "mlx",
        quantization=f"{bits}-bit" if bits else _commonest_float(counts),
        parameters=_parameters(counts, bits),
        size_bytes=sum(count * _bits.get(kind, 8) // 8 for kind, count in counts.items()),
        license=_license(tags),
        gated=bool(info.gated),
        downloads=info.downloads or 0,
        likes=info.likes or 0,
        updated=info.last_modified.date().isoformat() if info.last_modified else "",
    )


def _best_name(members: list[Variant]) -> str:
    return next((variant.base_model for variant in members if "/" in variant.base_model), members[0].base_model)


def _suits(variant: Variant, filters: SearchFilters) -> bool:
    """Check what the Hub cannot be asked for."""
    in_class = variant.parameters > 0 and size_class(variant.parameters) in filters.size_classes
    return (in_class or not filters.size_classes) and (
        not filters.largest_bytes or variant.size_bytes <= filters.largest_bytes
    )


def _quantized_bits(info: ModelInfo, tags: list[str]) -> int:
    """Return the bits of the quantized weights; 0 if they are not quantized, or nothing says how."""
    config: Mapping[str, Any] = info.config if isinstance(info.config, dict) else {}
    for field in ("quantization", "quantization_config"):
        settings = config.get(field)
        bits = settings.get("bits") if isinstance(settings, dict) else None
        if isinstance(bits, int) and 1 <= bits <= 8:
            return bits
    for text in (info.id.rpartition("/")[2], *tags):
        if match := _bits_in_name.search(text):
            return int(match.group(1))
    return 0


def _parameters(counts: Mapping[str, int], bits: int) -> int:
    """Return the weights, from the elements by type. Packed ones are U32, with a scale and a bias in 16 bits for each
    group: 1/32 of the packed weights when groups have 64.
    """
    packed = counts.get("U32", 0) * 32 // bits if bits else 0
    if not packed:
        return sum(counts.values())
    others = sum(count for kind, count in counts.items() if kind != "U32")
    return packed + max(0, others - packed // 32)


def _commonest_float(counts: Mapping[str, int]) -> str:
    kind = max(counts, key=lambda kind: counts[kind], default="")
    return _float_names.get(kind, "")


def _base_model(info: ModelInfo, tags: list[str]) -> str:
    """Return what the repository was quantized or converted from; a fine-tune is a model of its own."""
    for tag in tags:
        kind, _, name = tag.removeprefix("base_model:").rpartition(":")
        if tag.startswith("base_model:") and kind == "quantized" and name:
            return name
    stated: Any = info.card_data.get("base_model") if info.card_data else None
    first = stated[0] if isinstance(stated, list) and stated else stated
    own = _conversion_suffix.sub("", info.id.rpartition("/")[2])
    if isinstance(first, str) and first.rpartition("/")[2].casefold() == own.casefold():
        return first
    return info.id if own == info.id.rpartition("/")[2] else own


def _license(tags: list[str]) -> str:
    return next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "")
