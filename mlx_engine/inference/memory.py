"""MLX's memory in this process: the size of its pool, the memory of the device, and out-of-memory errors.

The wired limit is never set: raising it has been reported to crash whole Macs. Only mlx-lm's `stream_generate` and
`BatchGenerator` would do so, and Facet calls neither.
"""

import mlx.core as mx

from mlx_engine.models.memory.machine import physical_memory_bytes

_signs = (
    "insufficient memory",
    "outofmemory",
    "out of memory",
    "unable to allocate",
    "maximum allowed buffer size",
    "bad_alloc",
)


def machine_bytes() -> int:
    """Return the memory that the device can use: on a Mac all of it, on CUDA the card's."""
    return int(mx.device_info().get("memory_size", 0)) or physical_memory_bytes()


def limit_pool() -> None:
    """Limit the pool of freed buffers to 2 GB or 5% of the memory; by default MLX would use nearly all of it."""
    mx.set_cache_limit(min(2 * 1024**3, machine_bytes() // 20))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an MLX error means that memory ran out. Metal, CUDA and the CPU report it differently."""
    return isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _signs)
