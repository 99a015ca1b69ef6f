"""GGUF files: what they hold, and how they become MLX model folders without loss."""
