import json
import subprocess
import sys

import pytest

from mlx_engine.models.description.architecture import find_implementation


@pytest.mark.parametrize(
    ("architecture", "classes", "module"),
    [
        ("llama", (), "llama"),
        ("mistral", ("MistralForCausalLM",), "llama"),
        ("bailing_hybrid", ("BailingMoeV3ForCausalLM",), "bailing_moe_v3"),
        ("bailing_hybrid", ("Another",), "bailing_hybrid"),
    ],
)
def test_what_mlx_lm_runs_is_found(architecture: str, classes: tuple[str, ...], module: str) -> None:
    """By the name of its file, or by the names that mlx-lm's own tables give it."""
    found = find_implementation(architecture, classes)
    assert found is not None
    assert found.module == module


@pytest.mark.parametrize(
    "architecture", ["bert", "base", "switch_layers", "", "../utils", "models/llama", "llama\0", "a" * 999]
)
def test_what_mlx_lm_does_not_run_is_not_found(architecture: str) -> None:
    """Neither unknown architectures, nor files that models share, nor anything outside of their folder."""
    assert find_implementation(architecture) is None


@pytest.mark.process
def test_the_answer_is_mlx_lms_own() -> None:
    """mlx-lm itself gives the same answer, for every file of its folder of models."""
    done = subprocess.run([sys.executable, "-c", _ask_mlx_lm], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert len(told) > 100
    assert told == {name: find_implementation(name) is not None for name in told}


_ask_mlx_lm = """
import json, pkgutil
import mlx_lm.models
from mlx_lm.utils import _get_classes

def runs(name):
    try:
        return bool(_get_classes({"model_type": name}))
    except (Exception, SystemExit):
        return False

print(json.dumps({module.name: runs(module.name) for module in pkgutil.iter_modules(mlx_lm.models.__path__)}))
"""
