"""Results of a study as documents: HTML, Markdown, JSON and CSV. Independent of Qt, MLX and NumPy."""
