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
def test_architectures_of_mlx_lm_are_recognized(architecture: str, classes: tuple[str, ...], module: str) -> None:
    """By the name of the file, or an alternative name in mlx-lm's tables."""
    implementation = find_implementation(architecture, classes)
    assert implementation is not None
    assert implementation.module == module


@pytest.mark.parametrize(
    "architecture", ["bert", "base", "switch_layers", "", "../utils", "models/llama", "llama\0", "a" * 999]
)
def test_other_names_are_not_architectures(architecture: str) -> None:
    """Neither unknown ones, shared files, nor paths outside the folder of models."""
    assert find_implementation(architecture) is None


@pytest.mark.process
def test_architectures_agree_with_mlx_lm() -> None:
    """For every file of its folder of models."""
    done = subprocess.run([sys.executable, "-c", _ask_mlx_lm], check=True, capture_output=True, text=True)
    report = json.loads(done.stdout.splitlines()[-1])
    assert len(report) > 100
    assert report == {name: find_implementation(name) is not None for name in report}


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
