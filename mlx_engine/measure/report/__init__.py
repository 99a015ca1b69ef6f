"""What a study has found, as documents for others: HTML, Markdown, JSON and CSV. It knows no Qt, MLX or NumPy."""
