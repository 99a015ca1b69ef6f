"""Reports written to files."""

from pathlib import Path

import pytest

from mlx_engine.errors import StorageError
from mlx_engine.measure.report.files import Form, file_name, write
from tests.mlx_engine.measure.charts.studies import FEW, study
from tests.mlx_engine.measure.report.hostile import hostile


@pytest.mark.parametrize(
    ("form", "start"),
    [("html", "<!doctype html>"), ("markdown", "# Quantizations"), ("json", "{\n"), ("csv", "model,")],
)
def test_each_form_is_a_file(form: Form, start: str, tmp_path: Path) -> None:
    """This holds for a study with hostile texts too; no other file remains in the folder."""
    file = tmp_path / file_name(hostile(), form)
    write(hostile(), form, file)
    assert file.read_text(encoding="utf-8").startswith(start)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "message"), [("nowhere/r.html", "does not exist"), ("", "is a folder"), ("x" * 300, "Couldn't write")]
)
def test_an_invalid_path_raises_an_error_with_the_reason(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=message):
        write(study(FEW), "html", tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_older_report_is_replaced(tmp_path: Path) -> None:
    """The caller asks for confirmation."""
    file = tmp_path / "r.csv"
    file.write_text("old")
    write(study(FEW), "csv", file)
    assert file.read_text().startswith("model,")
