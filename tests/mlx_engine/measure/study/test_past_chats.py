"""Behaviour of copies of past chats, and of what is kept of private texts."""

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


def _on(path: Path, answers: str = "") -> Study:
    made = study(FEW)
    corpus = CorpusSource(path=str(path), private=True)
    return msgspec.structs.replace(
        made, plan=msgspec.structs.replace(made.plan, corpus=corpus), reference_folder=answers
    )


def _answers(folders: Folders, choice: CorpusSource) -> Path:
    header = ReferenceHeader(
        model="o", weights="w", corpus="c", source=choice, sample="s", convention=Convention(), kinds=("chats",),
        vocabulary=9, tail_mass=0.0,
    )  # fmt: skip
    folder = folders.references / header.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reference.json").write_bytes(msgspec.json.encode(header))
    return folder


def _result(answers: str, *, private: bool = True) -> FidelityResult:
    result = study(FEW).rows[1].fidelity[0]
    choice = TopToken("a", 0.5)
    worst = Divergence(
        chunk=0, position=1, kind="chats", kl=1.0, before="A secret of mine", true="b", reference=(choice,),
        candidate=(choice,),
    )  # fmt: skip
    return msgspec.structs.replace(result, reference_key=answers, private=private, worst=(worst,))


def test_copies_go_with_the_last_study_that_reads_them(folders: Folders) -> None:
    """With what was answered to them and measured on them; other answers and results stay."""
    copy, unused = save_copy([LINE], folders.chats), save_copy([LINE, LINE], folders.chats)
    answers = _answers(folders, CorpusSource(path=str(copy), private=True))
    private, other = _result(answers.name), _result("others", private=False)
    for result in (private, other):
        save_fidelity(result, folders.measurements)
    delete_unused(folders, [_on(copy, str(answers))])
    assert (copy.exists(), unused.exists(), answers.exists()) == (True, False, True)
    assert fidelity_folder(private, folders.measurements).exists()
    delete_unused(folders, [])
    assert (copy.exists(), answers.exists()) == (False, False)
    assert not fidelity_folder(private, folders.measurements).exists()
    assert fidelity_folder(other, folders.measurements).exists()


def test_answers_to_a_copy_stay_while_they_are_being_given(folders: Folders) -> None:
    """The study does not know of them before they are whole."""
    copy = save_copy([LINE], folders.chats)
    answers = _answers(folders, CorpusSource(path=str(copy), private=True))
    delete_unused(folders, [_on(copy)])
    assert answers.exists()


def test_reports_have_no_word_of_private_texts(tmp_path: Path) -> None:
    """They say so, whatever is asked for; of other texts the worst positions are quoted."""
    for private in (True, False):
        made = _on(tmp_path / "chats.jsonl")
        row = msgspec.structs.replace(made.rows[1], fidelity=(_result("a", private=private),))
        about = subject(msgspec.structs.replace(made, rows=(made.rows[0], row)), with_texts=True)
        page = html(about)
        assert ("A secret of mine" in page) is not private
        assert ("The text is private" in page) is private
        assert (b"A secret of mine" in data.json(about)) is not private
        assert "A secret of mine" not in markdown(about)
