"""The subject of a report: a study, and the header of its reference."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlx_engine.measure.figures.sample import Sample, samples
from mlx_engine.measure.report.shareable import shareable, shareable_header
from mlx_engine.measure.results.header import ReferenceHeader
from mlx_engine.measure.results.references import read_header
from mlx_engine.measure.results.results import FidelityResult
from mlx_engine.measure.results.safe_characters import one_line
from mlx_engine.measure.results.speed_result import SpeedResult
from mlx_engine.measure.study.gates import GateVerdict, judge
from mlx_engine.measure.study.names import short_names
from mlx_engine.measure.study.study import Study


@dataclass(frozen=True, slots=True)
class Subject:
    """`header` describes the stored predictions of the original; it is None if there are none."""

    study: Study
    header: ReferenceHeader | None = None

    @property
    def original(self) -> str:
        """The name of the original, without its owner."""
        return one_line(self.study.original.label.rpartition("/")[2])

    @property
    def samples(self) -> list[Sample]:
        return samples(self.study)

    @property
    def names(self) -> dict[str, str]:
        """The short names of the study's models by their labels."""
        return {label: one_line(name) for label, name in short_names(self.study).items()}

    @property
    def judgement(self) -> GateVerdict | None:
        return judge(self.study, self.study.plan.gates) if self.study.plan.gates else None

    @property
    def results(self) -> list[FidelityResult]:
        return [result for row in self.study.rows for result in row.fidelity]

    @property
    def speeds(self) -> list[SpeedResult]:
        return [row.speed for row in self.study.rows if row.speed]


def subject(study: Study, *, with_texts: bool = False) -> Subject:
    """Return the subject of a report of `study`, reduced by `shareable`; reads the folder of the reference."""
    header = read_header(Path(study.reference_folder)) if study.reference_folder else None
    return Subject(shareable(study, with_texts=with_texts), shareable_header(header) if header else None)


def failures(study: Study) -> Iterator[tuple[str, str]]:
    """Yield the label of each failed row and the reason, in a sentence or two."""
    for row in study.rows:
        for failure in row.failures:
            yield row.label, f"{failure.title.rstrip('.')}. {failure.message}"
