import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mlx_engine.errors import BrokenModel
from mlx_engine.models.description.describe import describe
from tests.gguf_files import GGUFFile, random_tensor, tiny_model


def elements(file: GGUFFile) -> int:
    return sum(int(np.prod(tensor.shape)) for tensor in file.tensors.values())


def test_a_file_that_can_be_imported(tmp_path: Path) -> None:
    """It has the description of the imported folder, and suggests importing it."""
    file = tiny_model(kind="Q8_0")
    model = describe(file.write(tmp_path / "tiny.gguf"), "owner/tiny")
    assert (model.format, model.architecture, model.quantization) == ("gguf", "llama", "Q8_0")
    assert model.parameters == model.active_parameters == elements(file)
    assert model.context_length == 512
    assert model.license == "apache-2.0"
    assert model.has_chat_template
    assert model.bits_per_weight == pytest.approx(8.5, abs=0.2)
    assert [(layers.layers, layers.token_numbers) for layers in model.cache] == [(2, 2 * 2 * 32)]
    assert model.can_be_imported
    assert "Import this GGUF file" in model.obstacle
    assert not model.is_runnable


def test_a_file_that_cannot_be_imported_names_its_types(tmp_path: Path) -> None:
    """The reason is that of the importer."""
    file = tiny_model()
    file.tensors["token_embd.weight"] = random_tensor(np.random.default_rng(1), "Q6_K", 1024, 256)
    model = describe(file.write(tmp_path / "tiny.gguf"), "owner/tiny")
    assert model.quantization == "Q6_K/Q4_0"
    assert not model.can_be_imported
    assert "Q6_K tensors" in model.obstacle


def test_another_architecture_is_described_as_well(tmp_path: Path) -> None:
    """Of a mixture of experts, only the selected ones are active."""
    rng = np.random.default_rng(1)
    tensors = {
        "token_embd.weight": random_tensor(rng, "F16", 10, 32),
        "blk.0.ffn_up_exps.weight": random_tensor(rng, "Q4_0", 8, 4, 32),
    }
    metadata = {"general.architecture": "moe", "moe.expert_count": 8, "moe.expert_used_count": 2}
    model = describe(GGUFFile(metadata, tensors).write(tmp_path / "moe.gguf"), "owner/moe")
    assert (model.parameters, model.active_parameters) == (320 + 1024, 320 + 256)
    assert "'moe'" in model.obstacle


def test_a_model_in_several_files_is_one(tmp_path: Path) -> None:
    """All of them count; a missing one is reported."""
    rng = np.random.default_rng(1)
    tensors = {name: random_tensor(rng, "F16", 4, 4) for name in ("v", "w")}
    first, second = GGUFFile({"general.architecture": "llama"}, tensors).write_parts(tmp_path, "m", count=2)
    assert describe(first, "a/m").parameters == 32
    second.unlink()
    with pytest.raises(BrokenModel, match="1 of 2 files are missing"):
        describe(first, "a/m")


@pytest.mark.parametrize("counts", [(2**60, 1), (1, 2**60), (0, 0)])
def test_implausible_counts_are_rejected(counts: tuple[int, int], tmp_path: Path) -> None:
    """Before anything else is read."""
    path = tmp_path / "m.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counts) + bytes(64))
    with pytest.raises(BrokenModel) as raised:
        describe(path, "a/m")
    assert raised.value.message.endswith(".")


@pytest.mark.process
def test_describing_needs_no_numpy(tmp_path: Path) -> None:
    """The window describes files in its own process, which stays small."""
    file = tiny_model().write(tmp_path / "tiny.gguf")
    code = (
        "import sys, pathlib; from mlx_engine.models.description.describe import describe;"
        "print(describe(pathlib.Path(sys.argv[1]), 'a/b').can_be_imported, 'numpy' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True, text=True).stdout
    assert output.split() == ["True", "False"]
