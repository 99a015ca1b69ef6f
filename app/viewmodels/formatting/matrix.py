"""Short names and order of the matrices of a layer."""

_usual_order = ("q", "k", "v", "qkv", "o", "gate", "up", "gate_up", "down")


def short_kind(kind: str) -> str:
    """Return a name that is unique in its layer: "q" for "self_attn.q_proj"."""
    name = kind.removesuffix(".weight").rpartition(".")[2]
    return name.removesuffix("_proj").replace("embed_tokens", "embedding").replace("lm_head", "head")


def kind_order(kind: str) -> tuple[int, str]:
    """Return a sort key: matrices in the order of computation, then unknown ones by name."""
    name = short_kind(kind)
    return (_usual_order.index(name) if name in _usual_order else len(_usual_order), kind)
