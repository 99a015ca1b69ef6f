"""The number of values in the state of a recurrent layer: past inputs of its convolutions, and its memory."""

from collections.abc import Mapping

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.files.safetensors import TensorEntry

_convolutions = ("conv1d.weight", "conv.weight", "conv_1d.weight")
_state_sizes = ("mamba_d_state", "ssm_state_size", "state_size", "d_state")
_kernel_sizes = ("mamba_d_conv", "conv_kernel", "d_conv")
_heads = ("mamba_num_heads", "mamba_n_heads", "num_heads")
_head_sizes = ("mamba_head_dim", "mamba_d_head", "head_dim")


def state_values(config: Configuration, tensors: Mapping[str, TensorEntry]) -> int:
    """Return the number of values in the state of the layer with these tensors; 0 if it isn't recurrent."""
    convolutions = [tensor for name, tensor in tensors.items() if name.endswith(_convolutions)]
    decay = next((tensor for name, tensor in tensors.items() if name.endswith("A_log")), None)
    # A convolution over k tokens stores the previous k - 1; its weights are [channels, k] in some order of dimensions.
    past = sum(tensor.elements - max(tensor.shape) for tensor in convolutions if tensor.shape)
    return past if decay is None else past + _memory_values(config, decay)


def _memory_values(config: Configuration, decay: TensorEntry) -> int:
    if value_heads := config.integer("linear_num_value_heads"):  # Gated delta rule, as in Qwen3-Next.
        return value_heads * config.integer("linear_value_head_dim") * config.integer("linear_key_head_dim")
    if len(decay.shape) == 2:  # Mamba: [channels, state size].
        return decay.elements
    return config.integer(*_heads[:2], default=decay.elements) * config.integer(*_head_sizes) * _state_size(config)


def configured_state_values(config: Configuration) -> int:
    """Return the number of values in the state of each recurrent layer, from the configuration alone."""
    if value_heads := config.integer("linear_num_value_heads"):
        values = value_heads * config.integer("linear_value_head_dim")
        key_head = config.integer("linear_key_head_dim")
        channels = 2 * config.integer("linear_num_key_heads") * key_head + values
        return channels * (config.integer("linear_conv_kernel_dim", default=4) - 1) + values * key_head
    if length := config.integer("conv_L_cache"):
        return config.integer("hidden_size") * (length - 1)
    state, past = _state_size(config), config.integer(*_kernel_sizes, default=4) - 1
    if heads := config.integer(*_heads):  # Mamba 2.
        inner = heads * config.integer(*_head_sizes)
        groups = config.integer("mamba_n_groups", "n_groups", default=1)
        return (inner + 2 * groups * state) * past + inner * state
    inner = config.integer("mamba_expand") * config.integer("hidden_size") or config.integer("intermediate_size")
    return inner * (past + state)


def _state_size(config: Configuration) -> int:
    return config.integer(*_state_sizes)
