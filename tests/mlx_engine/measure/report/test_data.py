"""Reports for programs."""

import csv
import io

import msgspec

from mlx_engine.measure.report import data
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Study
from tests.mlx_engine.measure.charts.studies import FEW, study
from tests.mlx_engine.measure.report.hostile import hostile


def _rows(study: Study) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.table(Subject(study)))))


def test_json_has_everything() -> None:
    """The study can be read back, with the best candidate."""
    judged = study(FEW)
    judged = msgspec.structs.replace(judged, plan=msgspec.structs.replace(judged.plan, gates=Gates(max_mean_kl=0.01)))
    document = msgspec.json.decode(data.json(Subject(judged)), type=data.Document)
    assert document.study == judged
    assert document.schema == data.SCHEMA
    assert document.judgement
    assert document.judgement.best == judged.rows[1].label


def test_csv_is_unrounded() -> None:
    """In bytes, seconds, nats and shares, with standard errors."""
    row = _rows(study(FEW))[2]
    assert float(row["mean_kl"]) == 0.041
    assert float(row["mean_kl_se"]) == 0.041 / 20
    assert float(row["top1_agreement"]) == 0.86
    assert int(row["size_bytes"]) == round(134.5e6 * 4.5 / 8)
    assert row["verdict"] == "about 14 of 100 next words differ from the original; close"


def test_the_original_has_a_perplexity_and_no_divergence() -> None:
    original = _rows(study(FEW))[0]
    assert float(original["perplexity"]) == 14.0
    assert original["mean_kl"] == ""
    assert original["verdict"] == "original"


def test_csv_has_standard_line_ends() -> None:
    """RFC 4180."""
    assert data.table(Subject(study(FEW))).count("\r\n") == 1 + len(study(FEW).rows)


def test_names_are_not_formulas() -> None:
    """A spreadsheet would evaluate a leading equals sign."""
    assert _rows(hostile())[3]["model"].startswith("'=1+1|")
