"""Tests of `facet lab report`."""

from pathlib import Path

import pytest

from mlx_engine.cli.main import main
from mlx_engine.folders import Folders
from mlx_engine.measure.study.study_file import save_study
from tests.mlx_engine.measure.charts.studies import BASE, FEW, study

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def saved_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Save a study named "study"."""
    monkeypatch.setenv("FACET_HOME", str(tmp_path / "facet"))
    save_study(study(FEW), Folders.from_environment().studies)


def test_all_formats_are_written_at_once(tmp_path: Path, capsys: Output) -> None:
    files = {form: tmp_path / f"r.{form}" for form in ("html", "markdown", "json", "csv")}
    options = [part for form, file in files.items() for part in (f"--{form}", str(file))]
    assert main(["lab", "report", "study", *options]) == 0
    assert all(file.stat().st_size for file in files.values())
    assert capsys.readouterr().out == ""


def test_an_existing_file_is_not_replaced(tmp_path: Path, capsys: Output) -> None:
    """No other file is written either, without --force."""
    old, new = tmp_path / "old.html", tmp_path / "new.md"
    old.write_text("mine")
    command = ["lab", "report", "study", "--markdown", str(new), "--html", str(old)]
    assert main(command) == 1
    assert "old.html already exists. Add --force to replace it" in capsys.readouterr().err
    assert (old.read_text(), new.exists()) == ("mine", False)
    assert main([*command, "--force"]) == 0
    assert old.read_text().startswith("<!doctype html>")


def test_without_options_markdown_goes_to_standard_output(capsys: Output) -> None:
    assert main(["lab", "report", "study"]) == 0
    assert capsys.readouterr().out.startswith(f"# Quantizations of {BASE} compared\n")


def test_a_card_contains_one_model(capsys: Output) -> None:
    """Selected by its name, with or without owner."""
    assert main(["lab", "report", "study", "--card", f"{BASE}-4-bit"]) == 0
    assert "0.0410 ± 0.0021 nats" in capsys.readouterr().out
    assert main(["lab", "report", "study", "--card", "whale"]) == 1
    assert "The study does not contain whale." in capsys.readouterr().err


def test_a_missing_study_or_folder_is_reported(tmp_path: Path, capsys: Output) -> None:
    assert main(["lab", "report", "whales"]) == 1
    assert "find a study named whales. Existing studies: study." in capsys.readouterr().err
    assert main(["lab", "report", "study", "--html", str(tmp_path / "nowhere" / "r.html")]) == 1
    assert "does not exist. Create it" in capsys.readouterr().err
