"""Groups tensors into weights: the tensors of each quantized matrix, its number of weights and its bits.

Supports the layouts of MLX, GPTQ and AWQ, compressed-tensors, FP8 with scales, gpt-oss and bitsandbytes. Reads only the
names, types and shapes of tensors, and config.json.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlx_engine.errors import BrokenModel
from mlx_engine.models.files.safetensors import TensorEntry
from mlx_engine.modes import AFFINE, MXFP4, is_legal_width

_float_names = {"BF16": "bf16", "F16": "fp16", "F32": "fp32", "F64": "fp64", "F8_E4M3": "fp8", "F8_E5M2": "fp8"}
_float_bits = {"bf16": 16, "fp16": 16, "fp32": 32, "fp64": 64, "fp8": 8}

# The tensor with the packed weights, and its companions with the parameters to unpack them.
_payloads = ("weight", "qweight", "weight_packed", "blocks")
_companions = frozenset(
    {
        "scales",
        "biases",
        "qzeros",
        "g_idx",
        "weight_scale",
        "weight_scale_inv",
        "weight_scale_2",
        "weight_global_scale",
        "weight_zero_point",
        "weight_g_idx",
        "weight_shape",
        "activation_scale",
        "input_scale",
        "input_global_scale",
        "weight.absmax",
        "weight.quant_map",
        "weight.nested_absmax",
        "weight.nested_quant_map",
    }
)
_bitsandbytes = "weight.quant_state"
_expert = re.compile(
    r"(^|\.)(experts|switch_mlp|switch_glu)(\.|_|$)"
    r"|\.block_sparse_moe\.(input|output)_linear$"  # Granite
    r"|\.moe\.(mlp\.\d|(gate|up|down)_proj)(\.|$)"  # Phixtral, Step 3.5
)


@dataclass(frozen=True, slots=True)
class Precision:
    """The storage format of weights: `mode` is a float type such as "bf16", or the mode of quantization."""

    mode: str
    bits: int
    group_size: int = 0


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight matrix or vector, by the path of its layer; `size_bytes` includes its scales."""

    name: str
    parameters: int
    size_bytes: int
    precision: Precision
    is_matrix: bool

    @property
    def is_expert(self) -> bool:
        """True if it belongs to the experts of a mixture, of which each token uses only a few."""
        return _expert.search(self.name) is not None


def read_weights(tensors: Mapping[str, TensorEntry], config: Mapping[str, Any]) -> Iterator[Weight]:
    """Yield the weights that consist of `tensors`.

    Raises:
        BrokenModel: the sizes of a quantized matrix contradict each other or config.json.
    """
    for layer, parts in _by_layer(tensors).items():
        payload = next((name for name in _payloads if name in parts), None)
        companions = {name for name in parts if name in _companions or name.startswith(_bitsandbytes)}
        if payload is None or not companions:
            companions = set()
        else:
            yield _quantized(layer, payload, parts, companions, config)
        for name in parts.keys() - companions - ({payload} if companions else set()):
            yield plain_weight(f"{layer}.{name}" if layer else name, parts[name])


def _by_layer(tensors: Mapping[str, TensorEntry]) -> dict[str, dict[str, TensorEntry]]:
    layers: dict[str, dict[str, TensorEntry]] = {}
    for name, tensor in tensors.items():
        layer, _, part = name.rpartition(".")
        if "weight." in name and (at := name.find(".weight.")) >= 0:
            layer, part = name[:at], name[at + 1 :]
        elif part.endswith(("_blocks", "_scales")):
            stem, _, end = part.rpartition("_")
            layer, part = f"{layer}.{stem}", end
        layers.setdefault(layer, {})[part] = tensor
    return layers


def plain_weight(name: str, tensor: TensorEntry) -> Weight:
    """Return the weight that consists of a single tensor."""
    mode = _float_names.get(tensor.dtype, tensor.dtype.lower())
    bits = _float_bits.get(mode, 8 * tensor.size_bytes // max(tensor.elements, 1))
    path = name.removesuffix(".weight")
    return Weight(path, tensor.elements, tensor.size_bytes, Precision(mode, bits), len(tensor.shape) > 1)


def _quantized(
    layer: str, payload: str, parts: Mapping[str, TensorEntry], companions: set[str], config: Mapping[str, Any]
) -> Weight:
    packed = parts[payload]
    if payload == "weight" and "scales" in parts and packed.dtype == "U32":
        parameters, precision = _mlx(layer, packed, parts["scales"], config)
    else:
        parameters, precision = _foreign(payload, parts, companions, config)
    size_bytes = packed.size_bytes + sum(parts[name].size_bytes for name in companions)
    return Weight(layer, parameters, size_bytes, precision, is_matrix=True)


def _mlx(layer: str, packed: TensorEntry, scales: TensorEntry, config: Mapping[str, Any]) -> tuple[int, Precision]:
    """Read a packed matrix of MLX; settings for the layer in config.json override the general ones."""
    settings = config.get("quantization") or config.get("quantization_config") or {}
    override = settings.get(layer) if isinstance(settings, dict) else None
    bits, group, mode = _settings(override if isinstance(override, dict) else settings)
    values = packed.elements * 32 // bits
    if values != scales.elements * group:
        # Layers without an override may differ in their bits, but not in their groups, as mlx_lm writes them.
        bits = _bits_for(packed, scales, group)
        values = scales.elements * group
    return values, Precision(mode, bits, group)


def _settings(settings: object) -> tuple[int, int, str]:
    if isinstance(settings, dict):
        bits, group, mode = settings.get("bits"), settings.get("group_size"), settings.get("mode", AFFINE.name)
        if isinstance(bits, int) and 1 <= bits <= 8 and isinstance(group, int) and group > 0 and isinstance(mode, str):
            return bits, group, mode
    raise BrokenModel("The weights are quantized, but config.json doesn't declare their bits and group size.")


def _bits_for(packed: TensorEntry, scales: TensorEntry, group: int) -> int:
    values = scales.elements * group
    bits, rest = divmod(packed.elements * 32, values) if values else (0, 0)
    if rest or not is_legal_width(bits):
        raise BrokenModel("The sizes of the quantized weights don't match config.json.")
    return bits


def _foreign(
    payload: str, parts: Mapping[str, TensorEntry], companions: set[str], config: Mapping[str, Any]
) -> tuple[int, Precision]:
    """Read a matrix in the layout of another program. If its tensors do not imply the bits, config.json has them."""
    packed = parts[payload]
    settings = config.get("quantization_config")
    settings = settings if isinstance(settings, dict) else {}
    method = str(settings.get("quant_method", "quantized"))[:20]
    container_bits = 8 * packed.size_bytes // max(packed.elements, 1)
    if payload == "blocks":
        (bits,), mode, (group,) = MXFP4.bits, MXFP4.name, MXFP4.groups
    elif packed.dtype in _float_names:
        mode, bits, group = _float_names[packed.dtype], max(container_bits, 1), 0
    elif any(name.startswith("weight.") for name in companions):
        bits, mode, group = 4, "nf4", 0
    else:
        mode, bits, group = method, _bits_of_zeros(parts) or _declared_bits(settings), _declared_group(settings)
    return packed.elements * container_bits // bits, Precision(mode, bits, group)


def _bits_of_zeros(parts: Mapping[str, TensorEntry]) -> int:
    """Return the bits of a matrix of AWQ or GPTQ, which has a packed zero point for each scale; 0 for others."""
    zeros, scales = parts.get("qzeros"), parts.get("scales")
    bits = zeros.elements * 32 // max(scales.elements, 1) if zeros and scales else 0
    return bits if bits <= 8 else 0


def _declared_bits(settings: Mapping[str, Any]) -> int:
    bits = settings.get("bits", _in_first_group(settings, "num_bits"))
    if settings.get("quant_method") == "bitnet":
        bits = 2
    return bits if isinstance(bits, int) and 1 <= bits <= 8 else 8


def _declared_group(settings: Mapping[str, Any]) -> int:
    group = settings.get("group_size", _in_first_group(settings, "group_size"))
    return group if isinstance(group, int) and 0 < group <= 2**16 else 0


def _in_first_group(settings: Mapping[str, Any], field: str) -> object:
    """Return a setting of compressed-tensors for the weights of its first group of layers."""
    groups = settings.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    return weights.get(field) if isinstance(weights, dict) else None


def format_precision(weights: Iterable[Weight]) -> str:
    """Return the storage format of the weights, such as "4-bit g32", "mixed 4/8-bit g64", "mxfp4 g32" or "bf16"."""
    sizes: Counter[Precision] = Counter()
    for weight in weights:
        sizes[weight.precision] += weight.parameters
    packed = [precision for precision in sizes if precision.mode not in _float_bits]
    if not packed:
        return sizes.most_common(1)[0][0].mode
    groups = sorted({precision.group_size for precision in packed if precision.group_size})
    end = f" g{'/'.join(map(str, groups))}" if groups else ""
    bits = sorted({precision.bits for precision in packed})
    amount = f"{'mixed ' if len(bits) > 1 else ''}{'/'.join(map(str, bits))}-bit"
    modes = sorted({precision.mode for precision in packed})
    if modes == [AFFINE.name]:
        return f"{amount}{end}"
    # The names of floating-point formats include their bits.
    named = all(any(letter.isdigit() for letter in mode) for mode in modes)
    return f"{'/'.join(modes)}{'' if named else ' ' + amount}{end}"


def distinct_bits(weights: Iterable[Weight]) -> tuple[int, ...]:
    """Return the bits of the matrices, the most common first."""
    sizes: Counter[int] = Counter()
    for weight in weights:
        if weight.is_matrix:
            sizes[weight.precision.bits] += weight.parameters
    return tuple(bits for bits, _ in sizes.most_common())
