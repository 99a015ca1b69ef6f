"""Builds tiny models with transformers' own classes, and saves them in the forms that repositories have.

Needs torch, which only `requirements-conformance.lock` installs.
"""

import dataclasses
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from tests.conformance.cases import BASE, FIRST_CHUNK, OTHER_PARTS, POSITIONS, SIZES, VOCABULARY, WHOLES, Case
from tests.conformance.tokenizer import write_tokenizer

FORMS = ("older", "newer", "fused")
"""As most repositories have it; as transformers 5 saves it; the same with the tensors of its own networks."""
_seed = 11


def build(case: Case, folder: Path) -> list[Path]:
    """Build the model of `case` with random weights; return the folders, one per form, each with `reference.npz`.

    Raises whatever transformers raises if it cannot build the model.
    """
    torch.manual_seed(_seed)
    config = configuration(case)
    loader = AutoModelForImageTextToText if case.architecture in WHOLES else AutoModelForCausalLM
    network = loader.from_config(config, attn_implementation="eager", dtype=torch.float32).eval()
    _randomize(network)
    tokens = torch.randint(3, VOCABULARY, (1, POSITIONS))
    logits, steps = _logits(network, tokens)
    folders = []
    for form in FORMS:
        path = folder / f"{case.name}-{form}"
        shutil.rmtree(path, ignore_errors=True)
        network.save_pretrained(path, save_original_format=form != "fused")
        if form == "fused" and _tensors(path) == _tensors(folders[-1]):
            shutil.rmtree(path)
            continue
        if form == "older":
            _write_older(path / "config.json")
        write_tokenizer(path)
        np.savez(path / "reference.npz", tokens=tokens.numpy(), logits=logits, steps=steps)
        folders.append(path)
    return folders


def configuration(case: Case) -> Any:
    """Return transformers' configuration of the case; of a multimodal model, its fields are those of the text part."""
    if case.architecture in WHOLES:
        return _whole(case)
    kind = CONFIG_MAPPING[case.architecture]
    names = {entry.name for entry in dataclasses.fields(kind)}
    names = {name for name in names if kind.attribute_map.get(name) not in names}
    if "qk_rope_head_dim" in names:
        names.discard("head_dim")  # It is that of the rotated part, or a sum.
    values = {name: value for name, value in SIZES.items() if name in names}
    if "qk_rope_head_dim" in names:
        values["num_key_value_heads"] = values["num_attention_heads"]
    if "rope_theta" in (getattr(kind(), "rope_parameters", None) or ()) and "rope_parameters" not in case.fields:
        values["rope_parameters"] = {"rope_type": "default", "rope_theta": BASE}
    return kind(**{**values, **case.fields})


def _whole(case: Case) -> Any:
    kind = CONFIG_MAPPING[case.architecture]
    parts = {"text_config": configuration(dataclasses.replace(case, architecture=WHOLES[case.architecture]))}
    for name, part in kind.sub_configs.items():
        if name not in parts and getattr(part, "model_type", ""):
            names = {entry.name for entry in dataclasses.fields(part)}
            parts[name] = part(**{field: value for field, value in OTHER_PARTS.items() if field in names})
    return kind(**parts)


def _logits(network: Any, tokens: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Return the logits at all positions, read in one go and in steps; some rotations depend on the length so far."""
    with torch.no_grad():
        whole = network(tokens, use_cache=False).logits[0].float().numpy()
        if "dynamic" not in str(network.config):
            return whole, whole
        output = network(tokens[:, :FIRST_CHUNK], use_cache=True)
        steps = [output.logits]
        for at in range(FIRST_CHUNK, POSITIONS):
            output = network(tokens[:, at : at + 1], past_key_values=output.past_key_values, use_cache=True)
            steps.append(output.logits)
    return whole, torch.cat(steps, 1)[0].float().numpy()


def _randomize(network: Any) -> None:
    """Give every parameter and saved buffer a value that shows when it is dropped or misread."""
    generator = torch.Generator().manual_seed(_seed)
    saved = set(network.state_dict())
    with torch.no_grad():
        for name, value in [*network.named_parameters(), *network.named_buffers()]:
            if name not in saved or not value.is_floating_point():
                continue
            noise = torch.randn(value.shape, generator=generator)
            if value.ndim < 2 or "A_log" in name:
                value.add_(0.2 * noise)
            elif "embed" in name or "wte" in name:
                value.copy_(noise)
            else:
                value.copy_(noise * 1.2 / value.shape[-1] ** 0.5)


def _tensors(path: Path) -> list[str]:
    header = (path / "model.safetensors").read_bytes()
    size = int.from_bytes(header[:8], "little")
    return sorted(json.loads(header[8 : 8 + size]))


def _write_older(path: Path) -> None:
    """Rewrite config.json as transformers 4 did."""
    config = json.loads(path.read_text())
    path.write_text(json.dumps(_older(config), indent=1))


def _older(config: Mapping[str, Any]) -> dict[str, Any]:
    result = {name: _older(value) if name == "text_config" else value for name, value in config.items()}
    if "dtype" in result:
        result["torch_dtype"] = result.pop("dtype")
    result["transformers_version"] = "4.51.0"
    parameters = result.get("rope_parameters")
    if not isinstance(parameters, dict):
        return result
    if isinstance(full := parameters.get("full_attention"), dict):
        local = parameters.get("sliding_attention") or {}
        if not str(result.get("model_type")).startswith(("gemma3", "olmo3")):
            return result
        if str(result["model_type"]).startswith("gemma3"):
            result["rope_local_base_freq"] = local.get("rope_theta")
        parameters = full
    del result["rope_parameters"]
    entry = dict(parameters)
    result["rope_theta"] = entry.pop("rope_theta", 10000.0)
    if (portion := entry.pop("partial_rotary_factor", None)) is not None:
        result["partial_rotary_factor"] = portion
    kind = entry.get("rope_type", "default")
    result["rope_scaling"] = None if entry.keys() <= {"rope_type"} and kind == "default" else {**entry, "type": kind}
    if result["model_type"] == "gpt_neox":
        result |= {"rotary_emb_base": result["rope_theta"], "rotary_pct": result.get("partial_rotary_factor", 1.0)}
    return result
