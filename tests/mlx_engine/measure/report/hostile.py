"""A study whose every text is written by somebody who means harm. Its figures are made up."""

import msgspec

from mlx_engine.measure.results.results import Divergence, FidelityResult, TopToken
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import Row, StepFailure, Study
from mlx_engine.quantize.recipes.recipe import Format, Recipe
from tests.mlx_engine.measure.charts.studies import FEW, study

SCRIPT = "<script>alert(1)</script>"
ENDS = ']]></style></script><!-- <img src=x onerror="alert(1)">'
REVERSED = "\u202egnp.exe\u2066"
TEXTS = (SCRIPT, ENDS, REVERSED, "nul\0escape\x1b[2Jbell\x07", "|cell`code`[link](javascript:x)@someone", "x" * 5000)


def hostile() -> Study:
    """Return a study with such names, tokens, kinds of text, recipes and failures."""
    made = study(FEW)
    rows = [_spoilt(row, text) for row, text in zip(made.rows, (SCRIPT, ENDS, REVERSED, "=1+1|" + SCRIPT), strict=True)]
    plan = msgspec.structs.replace(made.plan, name=SCRIPT, gates=Gates(max_mean_kl=0.01, prefer="closest"))
    return msgspec.structs.replace(made, rows=tuple(rows), plan=plan)


def _spoilt(row: Row, text: str) -> Row:
    return msgspec.structs.replace(
        row,
        label=f"{text}/{row.label}{text}",
        recipe=Recipe(name=text, purpose=text, default=Format()),
        quantization=text,
        failures=(StepFailure("speed", text, text),),
        fidelity=tuple(_spoilt_result(result, text) for result in row.fidelity),
    )


def _spoilt_result(result: FidelityResult, text: str) -> FidelityResult:
    worst = tuple(
        Divergence(
            chunk=0,
            position=place,
            kind=one,
            kl=1.5,
            before=one,
            true=one,
            reference=(TopToken(one, 0.5),),
            candidate=(TopToken(one, 0.25),),
        )
        for place, one in enumerate(TEXTS)
    )
    return msgspec.structs.replace(
        result,
        worst=worst,
        by_kind=dict.fromkeys(TEXTS, result.fidelity),
        corpus=text,
        machine=text,
        tools={text: text},
    )
