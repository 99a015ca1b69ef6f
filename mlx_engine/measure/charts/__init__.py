"""Charts of a study as pictures made of lines, discs and words, without Qt and MLX: window and reports share them."""
