"""A text token by token: how far a quantization is from the original at each."""
