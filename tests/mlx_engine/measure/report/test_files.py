"""Behaviour of reports as files."""

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
    """Even of a study whose texts are hostile; nothing else is left in the folder."""
    file = tmp_path / file_name(hostile(), form)
    write(hostile(), form, file)
    assert file.read_text(encoding="utf-8").startswith(start)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("place", "told"), [("nowhere/r.html", "There is no folder"), ("", "is a folder"), ("x" * 300, "Couldn't write")]
)
def test_a_bad_place_is_refused_in_a_sentence(place: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=told):
        write(study(FEW), "html", tmp_path / place)
    assert list(tmp_path.iterdir()) == []


def test_an_older_report_is_replaced(tmp_path: Path) -> None:
    """Asking whether it may be is up to whoever asks for the place."""
    file = tmp_path / "r.csv"
    file.write_text("old")
    write(study(FEW), "csv", file)
    assert file.read_text().startswith("model,")
