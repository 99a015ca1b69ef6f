"""Models that are quantized already, read as what they stand for: matrices of floats, or packed as MLX packs them."""
