"""Reads GGUF files and converts them to MLX model folders without loss."""
