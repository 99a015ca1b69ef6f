"""Exporting reports of the open study."""

from pathlib import Path

import msgspec
import pytest

from app.viewmodels.lab.export import KINDS, ReportExport
from app.viewmodels.lab.studies import Lab
from app.viewmodels.lab.study_store import StudyStore
from app.viewmodels.lab.time_estimate import default_speeds
from mlx_engine.folders import Folders
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.study.study_file import save_study
from tests.app.fake_study_bridge import FakeStudyBridge
from tests.mlx_engine.measure.charts.studies import FEW, study


@pytest.fixture
def lab(qapp: object, tmp_path: Path) -> Lab:
    """Return a lab with an open study."""
    folders = Folders(data=tmp_path / "data", cache=tmp_path, logs=tmp_path)
    save_study(study(FEW), folders.studies)
    lab = Lab(StudyStore(folders), FakeStudyBridge(), default_speeds(has_metal=True), available_bytes=10**9)
    lab.open("study")
    return lab


def test_each_format_has_a_suggested_name(lab: Lab, tmp_path: Path) -> None:
    """With the extension of its save dialog."""
    export = ReportExport(lab)
    for kind in KINDS:
        file = tmp_path / export.suggested_name(kind.form)
        export.write(kind.form, file)
        assert file.stat().st_size
        assert f"(*{file.suffix})" in kind.filter


def test_a_failed_export_is_reported(lab: Lab, tmp_path: Path) -> None:
    export = ReportExport(lab)
    problems: list[str] = []
    export.problem.connect(lambda title, message: problems.append(f"{title}: {message}"))
    export.write("html", tmp_path / "nowhere" / "r.html")
    assert problems == [
        f"Couldn't save the report: The folder {tmp_path / 'nowhere'} does not exist. Create it or choose another one."
    ]


def test_the_user_decides_on_quoting_private_text(lab: Lab, tmp_path: Path) -> None:
    """For each study anew. Past chats are never quoted."""
    folders = Folders(data=tmp_path / "data", cache=tmp_path, logs=tmp_path)
    export = ReportExport(lab)
    assert not export.can_quote
    for name, private in (("letters", False), ("chats", True)):
        corpus = CorpusSource(path=f"/texts/{name}.txt", private=private)
        base = study(FEW)
        plan = msgspec.structs.replace(base.plan, name=name, corpus=corpus)
        save_study(msgspec.structs.replace(base, plan=plan), folders.studies)
    other = Lab(StudyStore(folders), FakeStudyBridge(), default_speeds(has_metal=True), available_bytes=10**9)
    export = ReportExport(other)
    other.open("letters")
    assert (export.can_quote, export.with_texts) == (True, False)
    export.with_texts = True
    other.open("chats")
    assert (export.can_quote, export.with_texts) == (False, False)
