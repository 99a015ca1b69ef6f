"""Names and forms of tensors that mlx-lm's networks do not know.

WORKAROUND(mlx-lm 0.32.2): transformers 5 can save a model with the tensors of its networks. All experts of a layer
are in two tensors, `gate_up_proj` [experts, 2 x intermediate, hidden] and `down_proj` [experts, hidden, intermediate],
and some names differ from those in the repositories of the same model.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import mlx.core as mx

_mixture = (r"\.mlp\.", ".block_sparse_moe.")
_granite = (
    (r"\.experts\.gate_up_proj$", ".input_linear.weight"),
    (r"\.experts\.down_proj$", ".output_linear.weight"),
    (r"\.router\.weight$", ".router.layer.weight"),
)
_whole = (
    (r"^model\.language_model\.", "language_model.model."),
    (r"^lm_head\.", "language_model.lm_head."),
    (r"^model\.(vision_tower|multi_modal_projector)\.", r"\1."),
)
_renames: Mapping[str, tuple[tuple[str, str], ...]] = {
    "ernie4_5_moe": ((r"\.gate\.moe_statics\.", ".moe_statics."),),
    "gemma3": _whole,
    "gemma3n_text": ((r"^model\.(?!language_model\.)", "model.language_model."),),
    "gpt2": ((r"^transformer\.", ""),),
    "gpt_neox": ((r"^lm_head\.", "embed_out."),),
    "granitemoe": _granite,
    "granitemoehybrid": _granite,
    "lfm2-vl": _whole,
    "kimi_linear": (
        (r"\.block_sparse_moe\.(gate|up|down)_proj\.", r".mlp.\1_proj."),
        (r"\.mlp\.gate\.e_score_correction_bias$", ".mlp.e_score_correction_bias"),
        (r"\.self_attn\.forget_gate\.", ".self_attn."),
    ),
    "laguna": ((r"\.mlp\.shared_experts\.", ".mlp.shared_expert."),),
    "minimax_m2": (_mixture,),
    "mixtral": (_mixture,),
    "muse_glimmer": ((r"^model\.(vision_\w+)\.", r"\1."),),
    "nanochat": (
        (r"^model\.embed_tokens\.", "transformer.wte."),
        (r"^model\.layers\.", "transformer.h."),
        (r"\.self_attn\.([qkv])_proj\.", r".attn.c_\1."),
        (r"\.self_attn\.o_proj\.", ".attn.c_proj."),
        (r"\.mlp\.fc1\.", ".mlp.c_fc."),
        (r"\.mlp\.fc2\.", ".mlp.c_proj."),
    ),
    "nemotron_h": ((r"^model\.", "backbone."),),
    "olmo_hybrid": (
        (r"\.attention_layer_norm\.", ".input_layernorm."),
        (r"\.feedforward_layer_norm\.", ".post_attention_layernorm."),
    ),
    "phimoe": ((r"\.mlp\.router\.", ".block_sparse_moe.gate."), _mixture),
}
"""Patterns in the names of transformers' tensors, with their replacements in repositories, by `model_type`."""
_experts = (
    (".experts.gate_up_proj", ("gate_proj", "up_proj")),
    (".experts.up_proj", ("fc1",)),
    (".experts.down_proj", ("down_proj",)),
    (".experts.down_proj", ("fc2",)),
)
"""Tensors of all experts of a layer, and mlx-lm's names of the matrices in them."""
_turned = frozenset({"gpt_oss", "llama4"})
"""Families whose experts are [experts, input, output], which the `sanitize` of their networks knows."""
_separate = frozenset({"qwen3_next"})
"""Families whose `sanitize` changes other tensors too, and only if the experts are separate."""
_convolution = re.compile(r"(.+)\.conv1d\.weight")
_head = re.compile(r"(^|\.)lm_head\.")
_expert = re.compile(r"(.+)\.experts\.(\d+)\.(\w+\.\w+)")


def arrange(
    weights: Mapping[str, mx.array], architectures: Sequence[str], parameters: Mapping[str, mx.array]
) -> dict[str, mx.array]:
    """Return the weights under the names that mlx-lm's `sanitize` expects.

    `architectures` are the `model_type` of the whole and of its text part; `parameters` are those of the network, by
    name.
    """
    arranged = {_renamed(name, architectures): weight for name, weight in weights.items()}
    arranged = dict(part for name, weight in arranged.items() for part in _split_convolution(name, weight, parameters))
    if not _turned.isdisjoint(architectures):
        return arranged
    if not _separate.isdisjoint(architectures):
        return dict(part for name, weight in arranged.items() for part in _separated(name, weight))
    return dict(part for name, weight in arranged.items() for part in _split(name, weight, parameters))


def complete(
    weights: Mapping[str, mx.array], parameters: Mapping[str, object], *, has_tied_head: bool
) -> dict[str, mx.array]:
    """Return the weights after mlx-lm's `sanitize`, with parameters that it leaves out.

    Some networks stack experts only if the first layer has them, and some always have a separate head. A copy of
    the embeddings under the name of a tied head is removed if the network has none.
    """
    completed = dict(weights)
    for stack, members in _unstacked(weights, parameters).items():
        completed[stack] = mx.stack([completed.pop(member) for member in members])
    embedding = next((name for name in weights if name.endswith("embed_tokens.weight")), "")
    head = next((name for name in parameters if name.endswith("lm_head.weight")), "")
    if has_tied_head and embedding and head and head not in weights:
        owner, stored = head.removesuffix("weight"), embedding.removesuffix("weight")
        completed |= {
            owner + name.removeprefix(stored): weight for name, weight in weights.items() if name.startswith(stored)
        }
    if has_tied_head and not head:
        completed = {name: weight for name, weight in completed.items() if not _head.search(name)}
    return completed


def _unstacked(weights: Mapping[str, mx.array], parameters: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the names of stacks that are absent, each with those of its experts in order."""
    experts: dict[str, dict[int, str]] = {}
    for name in weights:
        if (match := _expert.fullmatch(name)) and (stack := f"{match[1]}.switch_mlp.{match[3]}") in parameters:
            experts.setdefault(stack, {})[int(match[2])] = name
    return {stack: [members[index] for index in sorted(members)] for stack, members in experts.items()}


def _renamed(name: str, architectures: Sequence[str]) -> str:
    for architecture in architectures:
        for pattern, replacement in _renames.get(architecture, ()):
            name = re.sub(pattern, replacement, name)
    return name


def _separated(name: str, weight: mx.array) -> Iterator[tuple[str, mx.array]]:
    """Yield the matrices of each expert in a tensor of all experts; any other tensor as it is."""
    for ending, parts in ((".experts.gate_up_proj", ("gate_proj", "up_proj")), (".experts.down_proj", ("down_proj",))):
        if name.endswith(ending) and weight.ndim == 3:
            owner = name.removesuffix(ending)
            for index in range(weight.shape[0]):
                matrices = mx.split(weight[index], len(parts), axis=0)
                yield from zip((f"{owner}.experts.{index}.{part}.weight" for part in parts), matrices, strict=True)
            return
    yield name, weight


def _split_convolution(
    name: str, weight: mx.array, parameters: Mapping[str, mx.array]
) -> Iterator[tuple[str, mx.array]]:
    """Yield the convolutions of queries, keys and values in one tensor, if the network has them separately."""
    match = _convolution.fullmatch(name)
    sizes = [
        next((value.shape[0] for key, value in parameters.items() if key.startswith(f"{match[1]}.{part}_conv")), 0)
        for part in ("q", "k", "v")
        if match
    ]
    if match is None or not all(sizes) or sum(sizes) != weight.shape[0]:
        yield name, weight
        return
    parts = mx.split(weight, [sizes[0], sizes[0] + sizes[1]], axis=0)
    yield from zip((f"{match[1]}.{part}_conv1d.weight" for part in ("q", "k", "v")), parts, strict=True)


def _split(name: str, weight: mx.array, parameters: Mapping[str, object]) -> Iterator[tuple[str, mx.array]]:
    """Yield the experts' matrices under mlx-lm's names, if the network has them separately; else the weight itself."""
    for ending, parts in _experts:
        owner = name.removesuffix(ending)
        for stack in ("switch_mlp", "experts"):
            targets = [f"{owner}.{stack}.{part}.weight" for part in parts]
            if owner != name and weight.ndim == 3 and all(target in parameters for target in targets):
                yield from zip(targets, mx.split(weight, len(targets), axis=1), strict=True)
                return
    yield name, weight
