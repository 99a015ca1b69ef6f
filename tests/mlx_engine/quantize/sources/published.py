"""Quantized matrices as other programs publish them, packed number by number, and what their weights are in float64.

Nothing here uses Facet but headers of safetensors; it is what Facet's own readers are compared with.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlx_engine.models.files.safetensors import TensorEntry, compose_header

HIDDEN, FEED_FORWARD, LAYERS, VOCABULARY = 128, 256, 2, 384
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": FEED_FORWARD,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "vocab_size": VOCABULARY,
}
_projections = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (HIDDEN // 2, HIDDEN),
    "self_attn.v_proj": (HIDDEN // 2, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (FEED_FORWARD, HIDDEN),
    "mlp.up_proj": (FEED_FORWARD, HIDDEN),
    "mlp.down_proj": (HIDDEN, FEED_FORWARD),
}

Doubles = NDArray[np.float64]

_dtypes = {"u1": "U8", "i1": "I8", "i4": "I32", "i8": "I64", "f2": "F16", "f4": "F32"}


@dataclass
class Published:
    """Tensors by name, as a `matrix.Tensors`, and the `weights` that they represent, by the unquantized name."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    dtypes: dict[str, str] = field(default_factory=dict)
    weights: dict[str, Doubles] = field(default_factory=dict)

    def add(self, name: str, array: NDArray[Any], dtype: str = "") -> None:
        self.arrays[name] = np.ascontiguousarray(array)
        self.dtypes[name] = dtype or _dtypes[array.dtype.str[1:]]

    @property
    def entries(self) -> Mapping[str, TensorEntry]:
        return {
            name: TensorEntry(self.dtypes[name], array.shape, 0, array.nbytes) for name, array in self.arrays.items()
        }

    def read(self, name: str, start: int, stop: int) -> NDArray[np.uint8]:
        return self.arrays[name].reshape(-1).view(np.uint8)[start:stop].copy()

    def add_plain(self, name: str, rng: np.random.Generator, *shape: int) -> None:
        """Add weights in bfloat16."""
        values = short(rng.normal(1 if "norm" in name else 0, 0.1, shape))
        self.add(name, bfloat16(values), "BF16")
        self.weights[name] = values.astype(np.float64)

    def write(self, folder: Path, tokenizer: Path, **config: Any) -> Path:
        """Write a model folder with the tokenizer of another model."""
        folder.mkdir(parents=True)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copyfile(tokenizer / name, folder / name)
        (folder / "config.json").write_text(json.dumps(config))
        header, entries = compose_header({name: (entry.dtype, entry.shape) for name, entry in self.entries.items()})
        data = bytearray(header) + bytes(sum(array.nbytes for array in self.arrays.values()))
        for name, place in entries.items():
            data[place.offset : place.offset + place.size_bytes] = self.arrays[name].tobytes()
        (folder / "model.safetensors").write_bytes(data)
        return folder


def bfloat16(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Return the bits of values that bfloat16 holds exactly."""
    bits = values.astype("<f4").view("<u4")
    assert not (bits & 0xFFFF).any()
    return (bits >> 16).astype("<u2")


def short(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return the values truncated to bfloat16."""
    return (values.astype("<f4").view("<u4") & np.uint32(0xFFFF0000)).view("<f4")


def words(numbers: NDArray[Any], bits: int) -> NDArray[np.int32]:
    """Pack the last axis into 32-bit words, lowest bits first; values may cross the borders of words."""
    packed = []
    for row in numbers.reshape(-1, numbers.shape[-1]):
        stream = sum(int(number) << bits * position for position, number in enumerate(row))
        packed.append(np.frombuffer(stream.to_bytes(len(row) * bits // 8, "little"), "<i4"))
    return np.stack(packed).reshape(*numbers.shape[:-1], -1)


def add_awq(model: Published, path: str, rng: np.random.Generator, *, rows: int, columns: int, group: int) -> None:
    quants, zeros = rng.integers(0, 16, (columns, rows)), rng.integers(0, 16, (columns // group, rows))
    scales = rng.uniform(0.001, 0.02, (columns // group, rows)).astype("<f2")
    # In each word of AWQ, place p holds output 8k + order[p].
    order = [0, 2, 4, 6, 1, 3, 5, 7]

    def packed(numbers: NDArray[Any]) -> NDArray[np.int32]:
        return words(numbers.reshape(len(numbers), -1, 8)[..., order].reshape(numbers.shape), 4)

    model.add(f"{path}.qweight", packed(quants))
    model.add(f"{path}.qzeros", packed(zeros))
    model.add(f"{path}.scales", scales)
    spread = np.repeat(np.arange(columns // group), group)
    model.weights[f"{path}.weight"] = ((quants - zeros[spread]) * scales[spread].astype(np.float64)).T


def add_gptq(
    model: Published, path: str, rng: np.random.Generator, *, bits: int, rows: int, columns: int, group: int,
    shuffled: bool = False,
) -> None:  # fmt: skip
    quants = rng.integers(0, 1 << bits, (columns, rows))
    zeros = rng.integers(1, 1 << bits, (columns // group, rows))
    scales = rng.uniform(0.001, 0.02, (columns // group, rows)).astype("<f2")
    groups = np.arange(columns) // group
    if shuffled:
        groups = rng.permutation(groups)
    model.add(f"{path}.qweight", words(quants.T, bits).T)
    model.add(f"{path}.qzeros", words(zeros - 1, bits))
    model.add(f"{path}.scales", scales)
    model.add(f"{path}.g_idx", groups.astype("<i4"))
    model.weights[f"{path}.weight"] = ((quants - zeros[groups]) * scales[groups].astype(np.float64)).T


def add_packed_integers(
    model: Published, path: str, rng: np.random.Generator, *, bits: int, rows: int, columns: int, group: int
) -> None:
    """Add a matrix in the symmetric format of compressed-tensors."""
    quants = rng.integers(0, 1 << bits, (rows, columns))
    scales = short(rng.uniform(0.001, 0.02, (rows, columns // group)))
    model.add(f"{path}.weight_packed", words(quants, bits))
    model.add(f"{path}.weight_scale", bfloat16(scales), "BF16")
    model.add(f"{path}.weight_shape", np.array([rows, columns], "<i8"))
    spread = np.repeat(scales.astype(np.float64), group, axis=1)
    model.weights[f"{path}.weight"] = (quants - (1 << (bits - 1))) * spread


def e4m3(code: int) -> float:
    """Return the value of an 8-bit float by its definition."""
    code = int(code)
    exponent, mantissa = code >> 3 & 15, code & 7
    value = mantissa / 8 * 2.0**-6 if exponent == 0 else (1 + mantissa / 8) * 2.0 ** (exponent - 7)
    return -value if code & 128 else value


def e2m1(code: int) -> float:
    return [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0][code & 7] * (-1 if code & 8 else 1)


def _codes(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return finite codes of E4M3."""
    codes = rng.integers(0, 256, shape, dtype=np.uint8)
    return np.where(codes & 127 == 127, 0, codes).astype(np.uint8)


def add_fp8(
    model: Published, path: str, rng: np.random.Generator, *, rows: int, columns: int, block: tuple[int, int],
    scale: str = "weight_scale_inv",
) -> None:  # fmt: skip
    codes = _codes(rng, (rows, columns))
    scales = rng.uniform(0.001, 0.02, (-(-rows // block[0]), -(-columns // block[1]))).astype("<f4")
    model.add(f"{path}.weight", codes, "F8_E4M3")
    model.add(f"{path}.{scale}", scales.reshape(()) if scales.size == 1 else scales)
    numbers = np.vectorize(e4m3)(codes)
    spread = np.repeat(np.repeat(scales.astype(np.float64), block[0], axis=0), block[1], axis=1)
    model.weights[f"{path}.weight"] = numbers * spread[:rows, :columns]


def add_nvfp4(
    model: Published, path: str, rng: np.random.Generator, *, rows: int, columns: int, weight: str, global_scale: str
) -> None:
    codes, scales = rng.integers(0, 16, (rows, columns), dtype=np.uint8), _codes(rng, (rows, columns // 16)) & 127
    factor = np.float32(rng.uniform(0.001, 0.02))
    stored = 1 / factor if global_scale == "weight_global_scale" else factor
    model.add(f"{path}.{weight}", codes[:, ::2] | codes[:, 1::2] << 4)
    model.add(f"{path}.weight_scale", scales, "F8_E4M3")
    model.add(f"{path}.{global_scale}", np.array([stored], "<f4"))
    spread = np.repeat(np.vectorize(e4m3)(scales), 16, axis=1)
    model.weights[f"{path}.weight"] = np.vectorize(e2m1)(codes) * spread * float(factor)


def add_gpt_oss(model: Published, path: str, rng: np.random.Generator, *, experts: int, rows: int, groups: int) -> None:
    """Add the fused gate and up projections of gpt-oss in MXFP4; gates are the even rows."""
    codes = rng.integers(0, 16, (experts, rows, groups, 32), dtype=np.uint8)
    exponents = rng.integers(118, 128, (experts, rows, groups), dtype=np.uint8)
    model.add(f"{path}.gate_up_proj_blocks", codes[..., ::2] | codes[..., 1::2] << 4)
    model.add(f"{path}.gate_up_proj_scales", exponents)
    weights = np.vectorize(e2m1)(codes) * 2.0 ** (exponents[..., None].astype(float) - 127)
    weights = weights.reshape(experts, rows, -1)
    model.weights |= {f"{path}.gate_proj.weight": weights[:, ::2], f"{path}.up_proj.weight": weights[:, 1::2]}
    biases = short(rng.normal(0, 0.1, (experts, rows)))
    model.add(f"{path}.gate_up_proj_bias", bfloat16(biases), "BF16")
    model.weights |= {f"{path}.gate_proj.bias": biases[:, ::2], f"{path}.up_proj.bias": biases[:, 1::2]}


def add_ternary(
    model: Published, path: str, rng: np.random.Generator, *, rows: int, columns: int, is_inverse: bool = False
) -> None:
    """Add a matrix in BitNet's format: a byte has four rows, a quarter of the matrix apart."""
    values = rng.integers(-1, 2, (rows, columns))
    scale = short(rng.uniform(0.5, 2, 1))
    quarters = (values + 1).astype(np.uint8).reshape(4, rows // 4, columns)
    model.add(f"{path}.weight", quarters[0] | quarters[1] << 2 | quarters[2] << 4 | quarters[3] << 6)
    model.add(f"{path}.weight_scale", bfloat16(scale), "BF16")
    value = float(np.float32(1) / scale[0]) if is_inverse else float(scale[0])
    model.weights[f"{path}.weight"] = values * value


def model(add: Callable[..., None], *, norms: Mapping[str, int] | None = None, **options: Any) -> Published:
    """Return a network like Llama whose projections `add` adds, with additional `norms` in each layer."""
    rng = np.random.default_rng(8)
    published = Published()
    published.add_plain("model.embed_tokens.weight", rng, VOCABULARY, HIDDEN)
    published.add_plain("model.norm.weight", rng, HIDDEN)
    for layer in range(LAYERS):
        path = f"model.layers.{layer}"
        for name, size in {"input_layernorm": HIDDEN, "post_attention_layernorm": HIDDEN, **(norms or {})}.items():
            published.add_plain(f"{path}.{name}.weight", rng, size)
        for name, (rows, columns) in _projections.items():
            add(published, f"{path}.{name}", rng, rows=rows, columns=columns, **options)
    return published
