"""Reports of the study that is shown."""

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
from tests.app.given_runner import GivenRunner
from tests.mlx_engine.measure.charts.studies import FEW, study


@pytest.fixture
def lab(qapp: object, tmp_path: Path) -> Lab:
    """A lab that shows a study."""
    folders = Folders(data=tmp_path / "data", cache=tmp_path, logs=tmp_path)
    save_study(study(FEW), folders.studies)
    lab = Lab(StudyStore(folders), GivenRunner(), default_speeds(has_metal=True), available_bytes=10**9)
    lab.open("study")
    return lab


def test_each_kind_is_written_under_the_name_that_is_suggested(lab: Lab, tmp_path: Path) -> None:
    """With the ending that its dialog shows."""
    export = ReportExport(lab)
    for kind in KINDS:
        file = tmp_path / export.suggestion(kind.form)
        export.write(kind.form, file)
        assert file.stat().st_size
        assert f"(*{file.suffix})" in kind.filter


def test_what_cannot_be_written_is_told(lab: Lab, tmp_path: Path) -> None:
    export = ReportExport(lab)
    told: list[str] = []
    export.problem.connect(lambda title, message: told.append(f"{title}: {message}"))
    export.write("html", tmp_path / "nowhere" / "r.html")
    assert told == [
        f"The report was not written: The folder {tmp_path / 'nowhere'} does not exist. "
        "Create it or choose another one."
    ]


def test_ones_own_text_is_quoted_if_the_person_says_so(lab: Lab, tmp_path: Path) -> None:
    """Of this study: another one is asked about anew. Where there is nothing to choose, nothing is asked."""
    folders = Folders(data=tmp_path / "data", cache=tmp_path, logs=tmp_path)
    export = ReportExport(lab)
    assert not export.may_quote
    for name, private in (("letters", False), ("chats", True)):
        corpus = CorpusSource(path=f"/texts/{name}.txt", private=private)
        made = study(FEW)
        plan = msgspec.structs.replace(made.plan, name=name, corpus=corpus)
        save_study(msgspec.structs.replace(made, plan=plan), folders.studies)
    other = Lab(StudyStore(folders), GivenRunner(), default_speeds(has_metal=True), available_bytes=10**9)
    export = ReportExport(other)
    other.open("letters")
    assert (export.may_quote, export.with_texts) == (True, False)
    export.with_texts = True
    other.open("chats")
    assert (export.may_quote, export.with_texts) == (False, False)
