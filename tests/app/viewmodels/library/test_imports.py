"""Tests of importing models."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.viewmodels.library.imports import ModelImports
from mlx_engine.models.description.describe import describe
from tests.app.fake_models import make_model
from tests.gguf_files import tiny_model

TIMEOUT_MS = 30_000


@pytest.fixture
def imports(qapp: object, tmp_path: Path) -> ModelImports:
    imports = ModelImports(tmp_path / "models")
    imports.problems = []
    imports.problem.connect(lambda title, message: imports.problems.append(message))
    return imports


def finish(imports: ModelImports, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not imports.queue, timeout=TIMEOUT_MS)


def test_a_folder_is_copied(imports: ModelImports, qtbot: QtBot, tmp_path: Path) -> None:
    """The original is kept, and the copy is a complete model."""
    source = make_model(tmp_path / "elsewhere", "maker/Gamma")
    with qtbot.waitSignal(imports.imported, timeout=TIMEOUT_MS) as signal:
        imports.add([source])
    finish(imports, qtbot)
    copy = describe(tmp_path / "models" / signal.args[0], signal.args[0])
    assert copy.size_bytes == describe(source, "maker/Gamma").size_bytes
    assert imports.problems == []


@pytest.mark.process
def test_a_gguf_file_is_imported_by_a_child_process(imports: ModelImports, qtbot: QtBot, tmp_path: Path) -> None:
    """It becomes a model folder, and progress is reported on the way."""
    source = tiny_model().write(tmp_path / "Tiny.gguf")
    progress = []
    imports.changed.connect(lambda: progress.extend(item.total_bytes for item in imports.queue))
    with qtbot.waitSignal(imports.imported, timeout=TIMEOUT_MS):
        imports.add([source])
    assert describe(tmp_path / "models/imported/Tiny", "imported/Tiny").architecture == "llama"
    assert max(progress) > 0


@pytest.mark.process
def test_a_folder_with_only_a_gguf_file_is_imported_as_gguf(
    imports: ModelImports, qtbot: QtBot, tmp_path: Path
) -> None:
    (tmp_path / "download").mkdir()
    tiny_model().write(tmp_path / "download/Tiny.gguf")
    with qtbot.waitSignal(imports.imported, timeout=TIMEOUT_MS) as signal:
        imports.add([tmp_path / "download"])
    assert signal.args == ["imported/Tiny"]


@pytest.mark.process
def test_a_failed_import_is_reported_and_the_next_one_starts(
    imports: ModelImports, qtbot: QtBot, tmp_path: Path
) -> None:
    """A damaged file and an empty folder each give a message; the intact model after them is imported."""
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"nothing")
    (tmp_path / "empty").mkdir()
    whole = make_model(tmp_path / "elsewhere", "maker/Gamma")
    imports.add([damaged, tmp_path / "empty", whole])
    finish(imports, qtbot)
    assert "damaged.gguf" in imports.problems[0]
    assert "config.json" in imports.problems[1]
    assert [path.name for path in (tmp_path / "models/imported").iterdir()] == ["Gamma"]


def test_invalid_paths_are_refused_at_once(imports: ModelImports, tmp_path: Path) -> None:
    """These are other files, models in the library, and models in the queue."""
    (tmp_path / "notes.txt").write_text("hello")
    existing = make_model(tmp_path / "models", "owner/Alpha")
    outside = make_model(tmp_path / "elsewhere", "maker/Gamma")
    imports.add([tmp_path / "notes.txt", existing, outside, outside])
    assert len(imports.problems) == 3
    assert [item.name for item in imports.queue] == ["Gamma"]
    imports.close()


def test_an_existing_name_is_refused(imports: ModelImports, qtbot: QtBot, tmp_path: Path) -> None:
    """The existing model is unchanged."""
    make_model(tmp_path / "models", "imported/Gamma", context_length=77)
    imports.add([make_model(tmp_path / "elsewhere", "maker/Gamma")])
    finish(imports, qtbot)
    assert "imported/Gamma" in imports.problems[0]
    assert describe(tmp_path / "models/imported/Gamma", "imported/Gamma").context_length == 77


@pytest.mark.process
@pytest.mark.parametrize("kind", ["folder", "gguf"])
def test_a_canceled_import_leaves_nothing_behind(
    imports: ModelImports, qtbot: QtBot, tmp_path: Path, kind: str
) -> None:
    """There is neither a model nor a partial copy, and the next import starts."""
    source = make_model(tmp_path / "elsewhere", "maker/Gamma")
    with (source / "large.bin").open("wb") as large:
        large.truncate(2**29)  # takes many steps to copy; canceled during the first
    if kind == "gguf":
        source = tiny_model().write(tmp_path / "Tiny.gguf")
    imports.add([source, make_model(tmp_path / "elsewhere", "maker/Delta")])
    imports.cancel(source)
    with qtbot.waitSignal(imports.imported, timeout=TIMEOUT_MS) as signal:
        pass
    assert signal.args == ["imported/Delta"]
    finish(imports, qtbot)
    assert [path.name for path in (tmp_path / "models/imported").iterdir()] == ["Delta"]
    assert imports.problems == []


def test_a_waiting_import_can_be_canceled(imports: ModelImports, qtbot: QtBot, tmp_path: Path) -> None:
    first, second = (make_model(tmp_path / "elsewhere", f"maker/{name}") for name in ("Gamma", "Delta"))
    imports.add([first, second])
    imports.cancel(second)
    finish(imports, qtbot)
    assert [path.name for path in (tmp_path / "models/imported").iterdir()] == ["Gamma"]
