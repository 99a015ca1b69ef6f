"""Searches for models on the Hub, describes each repository, and groups variants of the same model."""

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

_fields: list[ExpandModelProperty_T] = [
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
"""Bits per element of each type; all other types have 8."""
_float_names = {"BF16": "bf16", "F16": "fp16", "F32": "fp32"}
_bits_in_name = re.compile(r"(?<![a-z0-9])([2-8])[-_]?bits?(?![a-z0-9])", re.IGNORECASE)
_conversion_suffix = re.compile(
    r"([-_](mlx|balanced|[2-8][-_]?bit(-g\d+)?|bf16|fp16|fp32|f16|[qw]\d\w*|dwq\w*|awq|gptq|gguf|hi|"
    rf"{'|'.join(MODES)}))+$",
    re.IGNORECASE,
)


def search(filters: SearchFilters, hub: Hub) -> tuple[ModelGroup, ...]:
    """Return the models that match `filters`, grouped by base model.

    Raises:
        HubError: the Hub refuses or cannot be reached.
    """
    with hub.translate_errors("the search"):
        rows = islice(_rows(_parameters_of(filters), hub), max(1, filters.limit))
        variants = [variant_of(model_info(row)) for row in rows]
    return group_variants(variant for variant in variants if _matches(variant, filters))


def _parameters_of(filters: SearchFilters) -> dict[str, Any]:
    """Return the filters as parameters of the Hub's API (https://huggingface.co/docs/hub/api)."""
    tags = [tag for tag in ("mlx" if filters.only_mlx else "", filters.license and f"license:{filters.license}") if tag]
    parameters: dict[str, Any] = {
        "search": filters.text.strip(),
        "author": filters.author,
        "filter": tags,
        "pipeline_tag": "text-generation" if filters.only_text_generation else "",
        "sort": _orders[filters.order],
        "limit": max(1, filters.limit),
        "expand": _fields,
    }
    parameters = {name: value for name, value in parameters.items() if value}
    return parameters if filters.gated is None else parameters | {"gated": filters.gated}


def _rows(parameters: Mapping[str, Any], hub: Hub) -> Iterator[dict[str, Any]]:
    """Yield the results of all pages."""
    response = hub.get("/api/models", parameters)
    yield from response.json()
    while next_url := response.links.get("next", {}).get("url"):
        # Only the query is used: the token must not be sent to another host.
        response = hub.get("/api/models?" + urlsplit(next_url).query)
        yield from response.json()


def group_variants(variants: Iterable[Variant]) -> tuple[ModelGroup, ...]:
    """Group the variants by base model, regardless of its owner; the order is kept."""
    groups: dict[str, list[Variant]] = {}
    for variant in variants:
        groups.setdefault(variant.base_model.rpartition("/")[2].casefold(), []).append(variant)
    return tuple(ModelGroup(_best_name(members), tuple(members)) for members in groups.values())


def variant_of(info: ModelInfo) -> Variant:
    """Return the variant for a repository; fields that the Hub does not state are empty."""
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


def _matches(variant: Variant, filters: SearchFilters) -> bool:
    """Return whether the variant matches the filters that the Hub's API does not have."""
    in_class = variant.parameters > 0 and size_class(variant.parameters) in filters.size_classes
    return (in_class or not filters.size_classes) and (
        not filters.largest_bytes or variant.size_bytes <= filters.largest_bytes
    )


def _quantized_bits(info: ModelInfo, tags: list[str]) -> int:
    """Return the bits of the quantized weights; 0 if they are not quantized or the bits are unknown."""
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
    """Return the number of weights, from the number of elements of each type.

    Packed weights are U32. Each group has a scale and a bias of 16 bits: 1/32 of the packed weights for groups of 64.
    """
    packed = counts.get("U32", 0) * 32 // bits if bits else 0
    if not packed:
        return sum(counts.values())
    unpacked = sum(count for kind, count in counts.items() if kind != "U32")
    return packed + max(0, unpacked - packed // 32)


def _commonest_float(counts: Mapping[str, int]) -> str:
    kind = max(counts, key=lambda kind: counts[kind], default="")
    return _float_names.get(kind, "")


def _base_model(info: ModelInfo, tags: list[str]) -> str:
    """Return the model that the repository was quantized or converted from; a fine-tune is its own base model."""
    for tag in tags:
        kind, _, name = tag.removeprefix("base_model:").rpartition(":")
        if tag.startswith("base_model:") and kind == "quantized" and name:
            return name
    stated: Any = info.card_data.get("base_model") if info.card_data else None
    first = stated[0] if isinstance(stated, list) and stated else stated
    base_name = _conversion_suffix.sub("", info.id.rpartition("/")[2])
    if isinstance(first, str) and first.rpartition("/")[2].casefold() == base_name.casefold():
        return first
    return info.id if base_name == info.id.rpartition("/")[2] else base_name


def _license(tags: list[str]) -> str:
    return next((tag.removeprefix("license:") for tag in tags if tag.startswith("license:")), "")
