"""Data left out of reports."""

from pathlib import Path

import msgspec
import pytest

from mlx_engine.measure.report import data
from mlx_engine.measure.report.files import Form, file_name, write
from mlx_engine.measure.report.markdown import card
from mlx_engine.measure.report.one_model import of_fidelity
from mlx_engine.measure.report.shareable import shareable, shareable_header
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.results.messages import CorpusSource
from mlx_engine.measure.results.results import Divergence, TopToken
from mlx_engine.measure.study.study import StepFailure, Study
from tests.mlx_engine.measure.charts.studies import FEW, study

FOLDER = "/Users/anna lee/Library/Application Support/Facet"
LETTER = "my letter to the bank"


def user_study(*, private: bool = False) -> Study:
    """Return a study of a user's file, with the user's name in every path."""
    base = study(FEW)
    plan = msgspec.structs.replace(
        base.plan,
        original=f"{FOLDER}/models/a/base",
        candidates=("./Anna/4-bit",),
        recipes=("/Users/anna lee/recipes/mine.json",),
        corpus=CorpusSource(path="/Users/anna lee/letters.txt", private=private),
    )
    quote = Divergence(
        chunk=0,
        position=1,
        kind="text",
        kl=2.0,
        before=LETTER,
        true=LETTER,
        reference=(TopToken(LETTER, 0.9),),
        candidate=(TopToken(LETTER, 0.1),),
    )
    rows = tuple(
        msgspec.structs.replace(
            row,
            path=f"{FOLDER}/models/{row.label}",
            label=f"{FOLDER}/models/a/base" if row.is_original else row.label,
            failures=(StepFailure("speed", "Damaged", f"{FOLDER}/models/{row.label}/config.json cannot be read."),),
            fidelity=tuple(
                msgspec.structs.replace(result, worst=(quote,), corpus="letters.txt", private=private)
                for result in row.fidelity
            ),
        )
        for row in base.rows
    )
    return msgspec.structs.replace(base, plan=plan, rows=rows, reference_folder=f"{FOLDER}/references/abc")


@pytest.mark.parametrize("form", ["html", "markdown", "json", "csv"])
def test_reports_do_not_identify_the_user(form: Form, tmp_path: Path) -> None:
    """Paths contain the user's name; file names stay."""
    file = tmp_path / file_name(user_study(), form)
    write(user_study(), form, file)
    text = file.read_text(encoding="utf-8")
    assert "anna" not in text.casefold()
    assert "Application Support" not in text
    assert LETTER not in text
    assert "4-bit" in text


def test_a_failure_still_has_the_file_name() -> None:
    assert shareable(user_study()).rows[1].failures[0].message.startswith("…/")
    assert shareable(user_study()).rows[1].failures[0].message.endswith("/config.json cannot be read.")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("No folder /opt/models/whale.", "No folder …/whale."),
        ("See https://huggingface.co/a/b/c and either/or.", "See https://huggingface.co/a/b/c and either/or."),
        (f"Nothing is in {Path.home()}.", "Nothing is in ~."),
    ],
)
def test_only_local_folders_are_left_out(message: str, expected: str) -> None:
    base = study(FEW)
    row = msgspec.structs.replace(base.rows[1], failures=(StepFailure("speed", "Gone", message),))
    rows = shareable(msgspec.structs.replace(base, rows=(base.rows[0], row))).rows
    assert rows[1].failures[0].message == expected


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("maker/Whale", "maker/Whale"),
        ("/Users/anna lee/Whale", "Whale"),
        ("./models/Whale", "Whale"),
        (f"{Path.home().name}/Whale", "Whale"),
    ],
)
def test_a_card_names_the_original_without_its_folder(text: str, name: str) -> None:
    """A card is published."""
    row = study(FEW).rows[1]
    result = msgspec.structs.replace(row.fidelity[0], reference=text)
    assert f"Compared with {name}: " in card(msgspec.structs.replace(row, fidelity=(result,)))
    assert all(line.method.startswith(f"compared with {name},") for line in of_fidelity(result))


def test_the_users_text_is_quoted_on_request() -> None:
    """Private texts are never quoted."""
    assert LETTER in data.json(Subject(shareable(user_study(), with_texts=True))).decode()
    assert LETTER not in data.json(Subject(shareable(user_study(private=True), with_texts=True))).decode()


def test_reference_headers_have_no_folders() -> None:
    base = study(FEW)
    header = ReferenceHeader(
        model=f"{FOLDER}/models/base",
        folder=f"{FOLDER}/models/base",
        weights="w",
        corpus="letters.txt",
        source=CorpusSource(text=LETTER),
        sample="s",
        convention=base.plan.convention,
        kinds=("text",),
        vocabulary=10,
        tail_mass=0.01,
    )
    shared = msgspec.json.encode(shareable_header(header)).decode()
    assert "anna" not in shared
    assert LETTER not in shared
