"""The engine: models, conversion and generation on MLX, and the processes they run in; no Qt."""
