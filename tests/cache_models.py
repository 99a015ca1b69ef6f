"""Sizes of the KV caches of Facet's networks, for tiny models of all architectures.

`python tests/cache_models.py FOLDER NAME…` writes a model folder for each and prints a JSON object with the bytes of
its float32 caches after TOKENS tokens, read at once, and one more. It runs as a child process.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests import tiny_architectures

TOKENS = 300
"""More than the windows, and more than caches grow by at a time."""


def names() -> list[str]:
    """Return the models whose networks run on this machine."""
    available = set(tiny_architectures.architectures()) - tiny_architectures.UNAVAILABLE.keys()
    return sorted(available | tiny_architectures.VARIANTS.keys())


def measure(path: Path, config: dict[str, Any]) -> int:
    """Write the model to `path`; return the size of its caches, in bytes."""
    import mlx.core as mx  # noqa: PLC0415
    from mlx.utils import tree_flatten  # noqa: PLC0415
    from mlx_lm.models.cache import make_prompt_cache  # noqa: PLC0415

    from mlx_engine.models.configuration.normalize import normalize  # noqa: PLC0415
    from mlx_engine.networks.build import build  # noqa: PLC0415

    network = build(normalize(config))
    network.set_dtype(mx.float32)
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(config))
    (path / "tokenizer.json").write_text("{}")
    mx.save_safetensors(str(path / "model.safetensors"), dict(tree_flatten(network.parameters())))
    layers = make_prompt_cache(network)
    for tokens in (mx.arange(TOKENS) % 50, mx.array([7])):
        mx.eval(network(tokens[None], cache=layers))
    return sum(layer.nbytes for layer in layers)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sizes = {name: measure(folder / name, tiny_architectures.configuration(name)) for name in sys.argv[2:]}
    print(json.dumps(sizes))  # noqa: T201 - the result
