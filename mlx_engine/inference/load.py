"""Opens a model folder: its network and its tokenizer.

Opens existing folders only: nothing is downloaded, and no code in the folder is run. All functions belong to the one
thread that touches MLX.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
from mlx.utils import tree_flatten
from mlx_lm.utils import dequantize_model

from mlx_engine.amounts import format_memory
from mlx_engine.errors import EngineError, FacetError, OutOfMemory, UnsupportedModel
from mlx_engine.inference import memory
from mlx_engine.inference.prompt import end_tokens
from mlx_engine.inference.tokenizer import load_tokenizer
from mlx_engine.models.description.describe import describe
from mlx_engine.models.description.thinking import has_thinking
from mlx_engine.models.files import foreign_errors as foreign
from mlx_engine.models.memory import cache_precision
from mlx_engine.networks.load import load_network

UNBOUNDED_CONTEXT = 2**20
"""The context length, in tokens, of a model that declares none, such as a recurrent one."""


@dataclass(frozen=True, slots=True)
class Model:
    """A network with its tokenizer. Its weights are in memory once `read_weights` is exhausted."""

    name: str
    network: Any
    tokenizer: Any
    context_length: int
    vocabulary_size: int
    weights_bytes: int
    cache_obstacle: str = ""
    """The reason, as a sentence, why the KV cache needs 16 bits; empty if fewer may work."""

    @property
    def can_think(self) -> bool:
        """True if the chat template has markers of thinking, or a switch for it."""
        return has_thinking(str(self.tokenizer.chat_template or ""))

    def read_weights(self) -> Iterator[int]:
        """Read the weights into memory, about one percent at a time; yield the bytes read so far.

        Raises:
            OutOfMemory: they do not fit.
            BrokenModel: a file cannot be read to its end.
        """
        done_bytes = 0
        for batch in _batches(_weights(self.network), self.weights_bytes):
            try:
                mx.eval(batch)
            except foreign.FOREIGN_ERRORS as error:
                raise _translate(error, self.name, self.weights_bytes) from error
            done_bytes += sum(weight.nbytes for weight in batch)
            yield done_bytes
        mx.clear_cache()


def open_model(path: Path) -> Model:
    """Open the model in `path`; its weights stay on disk.

    A GPU computes in the model's dtypes. The CPU, which is slow and inexact in 16 bits, gets float32.

    Raises:
        ModelError: the folder is missing, damaged, of an unsupported kind, or requires custom code.
        StorageError: the folder cannot be read.
        OutOfMemory: the weights alone exceed the memory of the Mac.
    """
    description = describe(path, path.name)
    if not path.is_dir():
        raise UnsupportedModel(description.obstacle or f"{path.name} isn't a folder with weights that MLX can run.")
    memory.limit_pool()
    try:
        network, config = load_network(path)
        if _on_cpu():
            network = _in_float32(network, parameters=description.parameters)
        weights_bytes = sum(weight.nbytes for weight in _weights(network))
        tokenizer = load_tokenizer(path, config.get("eos_token_id"))
        tokenizer.eos_token_ids = end_tokens(tokenizer)
    except foreign.FOREIGN_ERRORS as error:
        raise _translate(error, path.name, 0) from error
    if weights_bytes > memory.machine_bytes():
        raise _too_large(path.name, weights_bytes)
    return Model(
        name=path.name,
        network=network,
        tokenizer=tokenizer,
        context_length=description.context_length or UNBOUNDED_CONTEXT,
        vocabulary_size=_vocabulary_size(config, len(tokenizer)),
        weights_bytes=weights_bytes,
        cache_obstacle=cache_precision.obstacle(description),
    )


def device_name() -> str:
    """Return the name of the device that MLX computes on, such as "Apple M4 Max" or "AMD EPYC (CPU)"."""
    name = str(mx.device_info().get("device_name", "unknown"))
    return f"{name} (CPU)" if _on_cpu() else name


def _on_cpu() -> bool:
    return bool(mx.default_device() == mx.Device(mx.cpu))


def _in_float32(network: Any, *, parameters: int) -> Any:
    """Return the network with scales and plain weights in float32, dequantized if memory is ample.

    Dequantized weights give exactly the results of quantized weights with float32 scales; on the CPU, prefill is six
    times as fast with them.
    """
    network.set_dtype(mx.float32)
    if 4 * parameters > memory.machine_bytes() // 4:
        return network
    if hasattr(network, "dequantize"):  # with layers that mlx-lm does not know
        network.dequantize()
        return network
    return dequantize_model(network)


def _weights(network: Any) -> list[mx.array]:
    flat: Any = tree_flatten(network.parameters())
    return [weight for _, weight in flat]


def _batches(weights: list[mx.array], total_bytes: int) -> Iterator[list[mx.array]]:
    batch: list[mx.array] = []
    size_bytes = 0
    for weight in weights:
        batch.append(weight)
        size_bytes += weight.nbytes
        if size_bytes * 100 >= total_bytes:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _vocabulary_size(config: dict[str, Any], tokens: int) -> int:
    """Return a lower bound for the number of logits: tokenizer and network may differ in either direction."""
    sizes = [source.get("vocab_size") for source in (config, config.get("text_config")) if isinstance(source, dict)]
    return min([tokens, *(size for size in sizes if isinstance(size, int))])


def _translate(error: BaseException, name: str, weights_bytes: int) -> FacetError:
    return _too_large(name, weights_bytes) if memory.is_out_of_memory(error) else foreign.translate(error, name)


def _too_large(name: str, weights_bytes: int) -> EngineError:
    needed = f"needs {format_memory(weights_bytes)} for its weights, and " if weights_bytes else ""
    return OutOfMemory(
        f"{name} {needed}doesn't fit: this Mac has {format_memory(memory.machine_bytes())}. "
        "Close other apps, or use a smaller model or one with fewer bits."
    )
