"""The Lab page: studies that measure the quality loss, speed and memory of quantized models."""
