"""Small GGUF files with random weights, written field by field, and a reference decoder for their weights.

Only `import_file` uses Facet; the rest is independent of it, so that tests can compare the two.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import pre_tokenizers

from mlx_engine.models.library.gguf_import import import_gguf

TYPE_NUMBERS = {
    "F32": 0,
    "F16": 1,
    "Q4_0": 2,
    "Q4_1": 3,
    "Q5_0": 6,
    "Q8_0": 8,
    "Q4_K": 12,
    "Q6_K": 14,
    "IQ2_XXS": 16,
    "IQ1_S": 19,
    "IQ3_S": 21,
    "IQ4_XS": 23,
    "I8": 24,
    "BF16": 30,
    "TQ1_0": 34,
    "MXFP4": 39,
}
_block_sizes = {"Q4_0": (32, 18), "Q4_1": (32, 20), "Q8_0": (32, 34), "Q6_K": (256, 210)}

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Tensor:
    """A tensor as stored in the file; `shape` is rows first."""

    type: str
    shape: tuple[int, ...]
    data: bytes


@dataclass
class GGUFFile:
    metadata: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    def write(self, path: Path) -> Path:
        path.write_bytes(self.encoded())
        return path

    def write_parts(self, folder: Path, name: str, *, count: int, suffix: str = ".gguf") -> list[Path]:
        """Write the tensors into `count` files, with the metadata in the first, as llama.cpp's gguf-split does."""
        parts = []
        for number in range(count):
            names = list(self.tensors)[number::count]
            split = {"split.no": number, "split.count": count, "split.tensors.count": len(self.tensors)}
            part = GGUFFile((self.metadata if number == 0 else {}) | split, {key: self.tensors[key] for key in names})
            parts.append(part.write(folder / f"{name}-{number + 1:05}-of-{count:05}{suffix}"))
        return parts

    def encoded(self) -> bytes:
        head = b"GGUF" + struct.pack("<IQQ", 3, len(self.tensors), len(self.metadata))
        for key, value in self.metadata.items():
            head += text(key) + _value(value)
        data = b""
        for name, tensor in self.tensors.items():
            head += text(name) + struct.pack("<I", len(tensor.shape))
            head += struct.pack(f"<{len(tensor.shape)}Q", *reversed(tensor.shape))
            head += struct.pack("<IQ", TYPE_NUMBERS[tensor.type], len(data))
            data += _padded(tensor.data)
        return _padded(head) + data


def text(content: str) -> bytes:
    return struct.pack("<Q", len(content.encode())) + content.encode()


def _value(value: Any) -> bytes:
    number, content = _typed(value)
    return struct.pack("<I", number) + content


def _typed(value: Any) -> tuple[int, bytes]:
    if isinstance(value, bool):
        return 7, struct.pack("<?", value)
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, text(value)
    contents = [_typed(item) for item in value]
    number = contents[0][0] if contents else 8
    return 9, struct.pack("<IQ", number, len(contents)) + b"".join(content for _, content in contents)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 32)


def random_tensor(rng: np.random.Generator, kind: str, *shape: int) -> Tensor:
    """Return a tensor of weights of realistic magnitude."""
    count = int(np.prod(shape))
    if kind not in _block_sizes:
        values = rng.normal(0, 0.08, count).astype(np.float32)
        return Tensor(kind, shape, _floats(kind, values))
    weights, size = _block_sizes[kind]
    blocks = rng.integers(0, 256, (count // weights, size), dtype=np.uint8)
    scales = rng.uniform(0.002, 0.02, (len(blocks), 1)) * (0.06 if kind == "Q8_0" else 1)
    blocks[:, :2] = scales.astype("<f2").view(np.uint8)
    if kind == "Q4_1":
        blocks[:, 2:4] = (-7.5 * scales).astype("<f2").view(np.uint8)
    return Tensor(kind, shape, blocks.tobytes())


def _floats(kind: str, values: Floats) -> bytes:
    if kind == "BF16":
        return (values.view("<u4") >> 16).astype("<u2").tobytes()
    return values.astype("<f2" if kind == "F16" else "<f4").tobytes()


def random_norm(rng: np.random.Generator, size: int) -> Tensor:
    """Return a vector around 1 in F32 whose values are exact in float16 and bfloat16 too."""
    return Tensor("F32", (size,), (rng.integers(32, 96, size) / 64).astype("<f4").tobytes())


def dequantize_reference(kind: str, shape: tuple[int, ...], data: bytes) -> Floats:
    """Return the weights of a tensor as ggml defines them."""
    if kind == "F32":
        return np.frombuffer(data, "<f4").reshape(shape)
    if kind == "F16":
        return np.frombuffer(data, "<f2").astype(np.float32).reshape(shape)
    if kind == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    blocks = np.frombuffer(data, np.uint8).reshape(-1, _block_sizes[kind][1])
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    if kind == "Q8_0":
        return (blocks[:, 2:].view(np.int8) * scale).reshape(shape)
    quants = blocks[:, 4 if kind == "Q4_1" else 2 :]
    halves = np.concatenate([quants & 15, quants >> 4], axis=1).astype(np.float32)
    if kind == "Q4_1":
        return (halves * scale + blocks[:, 2:4].copy().view("<f2").astype(np.float32)).reshape(shape)
    return ((halves - 8) * scale).reshape(shape)


HIDDEN, FEED_FORWARD, HEADS, KV_HEADS, LAYERS = 64, 96, 4, 2, 2


def head_size(architecture: str) -> int:
    """Return the head size; it differs from hidden / heads if the architecture allows it."""
    return 16 if architecture == "qwen2" else 32


def tiny_model(architecture: str = "llama", kind: str = "Q4_0", *, tied: bool = True, seed: int = 3) -> GGUFFile:
    """Return a complete model whose matrices are of the type `kind`."""
    rng = np.random.default_rng(seed)
    metadata = {**_sizes(architecture), **tiny_tokenizer()}
    vocabulary = len(metadata["tokenizer.ggml.tokens"])
    tensors = {
        "token_embd.weight": random_tensor(rng, kind, vocabulary, HIDDEN),
        "output_norm.weight": random_norm(rng, HIDDEN),
    }
    if not tied:
        tensors["output.weight"] = random_tensor(rng, kind, vocabulary, HIDDEN)
    for layer in range(LAYERS):
        for name, shape in _layer_shapes(architecture).items():
            tensors[f"blk.{layer}.{name}"] = (
                random_norm(rng, *shape)
                if "norm" in name
                else random_tensor(rng, kind if len(shape) == 2 else "F32", *shape)
            )
    return GGUFFile(metadata, tensors)


def _layer_shapes(architecture: str) -> Mapping[str, tuple[int, ...]]:
    head = head_size(architecture)
    queries, keys = HEADS * head, KV_HEADS * head
    shapes: dict[str, tuple[int, ...]] = {
        "attn_norm.weight": (HIDDEN,),
        "attn_q.weight": (queries, HIDDEN),
        "attn_k.weight": (keys, HIDDEN),
        "attn_v.weight": (keys, HIDDEN),
        "attn_output.weight": (HIDDEN, queries),
        "ffn_norm.weight": (HIDDEN,),
        "ffn_gate.weight": (FEED_FORWARD, HIDDEN),
        "ffn_up.weight": (FEED_FORWARD, HIDDEN),
        "ffn_down.weight": (HIDDEN, FEED_FORWARD),
    }
    if architecture == "qwen2":
        shapes |= {"attn_q.bias": (queries,), "attn_k.bias": (keys,), "attn_v.bias": (keys,)}
    if architecture == "qwen3":
        shapes |= {"attn_q_norm.weight": (head,), "attn_k_norm.weight": (head,)}
    return shapes


def _sizes(architecture: str) -> dict[str, Any]:
    return {
        "general.architecture": architecture,
        "general.license": "apache-2.0",
        f"{architecture}.block_count": LAYERS,
        f"{architecture}.context_length": 512,
        f"{architecture}.embedding_length": HIDDEN,
        f"{architecture}.feed_forward_length": FEED_FORWARD,
        f"{architecture}.attention.head_count": HEADS,
        f"{architecture}.attention.head_count_kv": KV_HEADS,
        f"{architecture}.attention.key_length": head_size(architecture),
        f"{architecture}.attention.value_length": head_size(architecture),
        f"{architecture}.attention.layer_norm_rms_epsilon": 1e-5,
        f"{architecture}.rope.freq_base": 10000.0,
    }


def tiny_tokenizer(pre: str = "smollm") -> dict[str, Any]:
    """Return a byte-level tokenizer: three control tokens, a user-defined one, the bytes and a few merges."""
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<mark>"]
    merges = ["t h", "th e", "Ġ the", "1 2", "Ã ©", "Ġ t", "e r", "i n"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*marks, *alphabet, *(merge.replace(" ", "") for merge in merges)]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [3, 3, 3, 4, *[1] * (len(tokens) - 4)],
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.padding_token_id": 0,
        "tokenizer.chat_template": "{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}",
    }


def import_file(source: Path, target: Path) -> Path:
    """Import the file and return the folder."""
    for _ in import_gguf(source, target):
        pass
    return target
