"""Amounts in words, short enough for a list."""


def parameters_in_words(parameters: int) -> str:
    """Return a number of parameters as people say it: "135M", "7.24B"."""
    billions = parameters / 1e9
    return f"{billions:.3g}B" if billions >= 1 else f"{max(parameters / 1e6, 1):.0f}M"


def bytes_in_words(size_bytes: int) -> str:
    """Return a size in decimal units, as Finder and the makers of disks count: "84 MB", "4.5 GB"."""
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{max(size_bytes / 1e3, 1):.0f} KB"


def tokens_in_words(tokens: int) -> str:
    """Return a length of text in units of 1,024 tokens where it is so long: "512", "8k", "1M"."""
    if tokens < 1024:
        return str(tokens)
    return f"{tokens // 1024}k" if tokens < 1024**2 else f"{tokens / 1024**2:.3g}M"
