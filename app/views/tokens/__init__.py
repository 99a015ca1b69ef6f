"""The token view: the KL divergence of a quantization from the original, token by token."""
