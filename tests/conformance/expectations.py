"""Logits of transformers for models whose weights follow from the names of their tensors.

`python -m tests.conformance.expectations` computes them with torch and stores them in `expected/`; the tests need
neither torch nor weights.
"""

import json
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from tests.conformance.cases import POSITIONS, VOCABULARY, Case, cases
from tests.conformance.tokenizer import write_tokenizer

FOLDER = Path(__file__).with_name("expected")
CASES = (
    "deepseek_v2-yarn",
    "ernie4_5_moe-plain",
    "gemma2-plain",
    "gemma3_text-linear",
    "gemma3_text-pattern",
    "glm4-partial",
    "glm4_moe-yarn",
    "granitemoehybrid-plain",
    "jamba-plain",
    "lfm2-plain",
    "llama-dynamic",
    "llama-llama3",
    "minicpm3-long-short",
    "mistral-plain",
    "phi3-long-short",
    "phi3-plain",
    "phimoe-long-short",
    "qwen2_moe-dense-layers",
    "qwen3-window",
    "qwen3_moe-yarn",
    "starcoder2-plain",
)
"""At least one for each kind of fault in mlx-lm, and the families of the catalog."""
_stored_positions = (1, 30, 60, POSITIONS - 1)
_stored_logits = 24
_noise = 0.2


def tokens() -> NDArray[np.int64]:
    """Return the tokens [1, positions] that all models read."""
    return np.random.default_rng(5).integers(3, VOCABULARY, (1, POSITIONS))


def weight(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the values of a tensor, which depend on its name and shape alone."""
    noise = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if name.endswith(("bias", "A_log", "dt_bias")) or (len(shape) < 2 and "norm" not in name):
        return (_noise * noise).astype(np.float32)
    if len(shape) < 2:
        return (1 + _noise * noise).astype(np.float32)
    scale = 1.0 if "embed" in name else 1.2 / shape[-1] ** 0.5
    return (scale * noise).astype(np.float32)


def write_model(folder: Path, config: dict[str, Any], shapes: dict[str, list[int]]) -> None:
    """Write the model of an expectation."""
    folder.mkdir(exist_ok=True)
    save_file({name: weight(name, tuple(shape)) for name, shape in shapes.items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
    write_tokenizer(folder)


def excerpt(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the logits that are stored, [positions, logits], of all [positions, vocabulary]."""
    return logits[list(_stored_positions), :_stored_logits]


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for case in _selected():
        (FOLDER / f"{case.name}.json").write_text(json.dumps(_expectation(case), separators=(",", ":")) + "\n")


def _selected() -> Iterator[Case]:
    architectures = {name.split("-")[0] for name in CASES}
    return (case for case in cases(iter(sorted(architectures))) if case.name in CASES)


def _expectation(case: Case) -> dict[str, Any]:
    import torch
    from transformers import AutoModelForCausalLM

    from tests.conformance.models import build

    with tempfile.TemporaryDirectory() as scratch:
        source = build(case, Path(scratch))[1]
        with safe_open(source / "model.safetensors", "numpy") as file:
            shapes = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        config = json.loads((source / "config.json").read_text())
        write_model(source, config, shapes)
        network = AutoModelForCausalLM.from_pretrained(source, attn_implementation="eager", dtype=torch.float32).eval()
        with torch.no_grad():
            logits = network(torch.tensor(tokens()), use_cache=False).logits[0].float().numpy()
    rows = [[round(float(value), 5) for value in row] for row in excerpt(logits)]
    return {"config": config, "shapes": shapes, "spread": round(float(logits.std()), 5), "logits": rows}


if __name__ == "__main__":
    main()
