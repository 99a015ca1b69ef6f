"""What matrices are called on a map, and the order of its columns."""

_usual_order = ("q", "k", "v", "qkv", "o", "gate", "up", "gate_up", "down")


def short(kind: str) -> str:
    """Return what tells a matrix from the others of its layer: "q" for "self_attn.q_proj"."""
    words = kind.removesuffix(".weight").rpartition(".")[2]
    return words.removesuffix("_proj").replace("embed_tokens", "embedding").replace("lm_head", "head")


def order(kind: str) -> tuple[int, str]:
    """Order matrices as a token meets them; those of other names come last."""
    name = short(kind)
    return (_usual_order.index(name) if name in _usual_order else len(_usual_order), kind)
