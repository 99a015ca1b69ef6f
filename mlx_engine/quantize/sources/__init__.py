"""Readers for models that other programs have quantized: as floats, or packed in a format of MLX."""
