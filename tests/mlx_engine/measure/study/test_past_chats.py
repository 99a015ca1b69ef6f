"""Copies of past chats, and the deletion of private data."""

from pathlib import Path

import msgspec
import pytest

from mlx_engine.folders import Folders
from mlx_engine.measure.report import data
from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.markdown import markdown
from mlx_engine.measure.report.subject import subject
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.results.results import Divergence, FidelityResult, TopToken, fidelity_folder, save_fidelity
from mlx_engine.measure.study.past_chats import delete_unused, save_copy
from mlx_engine.measure.study.study import Study
from tests.mlx_engine.measure.charts.studies import FEW, study

LINE = b'{"messages": [{"role": "user", "content": "A secret"}, {"role": "assistant", "content": "Yes"}]}'


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(data=tmp_path, cache=tmp_path / "cache", logs=tmp_path / "logs")


def _study_of(path: Path, reference_folder: str = "") -> Study:
    base = study(FEW)
    corpus = CorpusSource(path=str(path), private=True)
    return msgspec.structs.replace(
        base, plan=msgspec.structs.replace(base.plan, corpus=corpus), reference_folder=reference_folder
    )


def _reference(folders: Folders, source: CorpusSource) -> Path:
    header = ReferenceHeader(
        model="o", weights="w", corpus="c", source=source, sample="s", convention=Convention(), kinds=("chats",),
        vocabulary=9, tail_mass=0.0,
    )  # fmt: skip
    folder = folders.references / header.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reference.json").write_bytes(msgspec.json.encode(header))
    return folder


def _result(reference_key: str, *, private: bool = True) -> FidelityResult:
    result = study(FEW).rows[1].fidelity[0]
    token = TopToken("a", 0.5)
    worst = Divergence(
        chunk=0, position=1, kind="chats", kl=1.0, before="A secret of mine", true="b", reference=(token,),
        candidate=(token,),
    )  # fmt: skip
    return msgspec.structs.replace(result, reference_key=reference_key, private=private, worst=(worst,))


def test_private_data_is_deleted_with_its_last_study(folders: Folders) -> None:
    """Its copies, references and results; others stay."""
    copy, unused = save_copy([LINE], folders.chats), save_copy([LINE, LINE], folders.chats)
    reference = _reference(folders, CorpusSource(path=str(copy), private=True))
    private, other = _result(reference.name), _result("others", private=False)
    for result in (private, other):
        save_fidelity(result, folders.measurements)
    delete_unused(folders, [_study_of(copy, str(reference))])
    assert (copy.exists(), unused.exists(), reference.exists()) == (True, False, True)
    assert fidelity_folder(private, folders.measurements).exists()
    delete_unused(folders, [])
    assert (copy.exists(), reference.exists()) == (False, False)
    assert not fidelity_folder(private, folders.measurements).exists()
    assert fidelity_folder(other, folders.measurements).exists()


def test_an_incomplete_reference_of_a_copy_stays(folders: Folders) -> None:
    """Its study does not have the folder yet."""
    copy = save_copy([LINE], folders.chats)
    reference = _reference(folders, CorpusSource(path=str(copy), private=True))
    delete_unused(folders, [_study_of(copy)])
    assert reference.exists()


def test_reports_do_not_quote_private_texts(tmp_path: Path) -> None:
    """Even if quotes are requested. Other texts are quoted at the worst positions."""
    for private in (True, False):
        base = _study_of(tmp_path / "chats.jsonl")
        row = msgspec.structs.replace(base.rows[1], fidelity=(_result("a", private=private),))
        about = subject(msgspec.structs.replace(base, rows=(base.rows[0], row)), with_texts=True)
        page = html(about)
        assert ("A secret of mine" in page) is not private
        assert ("The text is private" in page) is private
        assert (b"A secret of mine" in data.json(about)) is not private
        assert "A secret of mine" not in markdown(about)
