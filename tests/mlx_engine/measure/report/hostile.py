"""A study with hostile texts everywhere, and made-up results."""

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
    """Return a study with hostile names, tokens, kinds, recipes and failures."""
    base = study(FEW)
    rows = [
        _hostile_row(row, text) for row, text in zip(base.rows, (SCRIPT, ENDS, REVERSED, "=1+1|" + SCRIPT), strict=True)
    ]
    plan = msgspec.structs.replace(base.plan, name=SCRIPT, gates=Gates(max_mean_kl=0.01, prefer="closest"))
    return msgspec.structs.replace(base, rows=tuple(rows), plan=plan)


def _hostile_row(row: Row, text: str) -> Row:
    return msgspec.structs.replace(
        row,
        label=f"{text}/{row.label}{text}",
        recipe=Recipe(name=text, purpose=text, default=Format()),
        quantization=text,
        failures=(StepFailure("speed", text, text),),
        fidelity=tuple(_hostile_result(result, text) for result in row.fidelity),
    )


def _hostile_result(result: FidelityResult, text: str) -> FidelityResult:
    worst = tuple(
        Divergence(
            chunk=0,
            position=position,
            kind=text,
            kl=1.5,
            before=text,
            true=text,
            reference=(TopToken(text, 0.5),),
            candidate=(TopToken(text, 0.25),),
        )
        for position, text in enumerate(TEXTS)
    )
    return msgspec.structs.replace(
        result,
        worst=worst,
        by_kind=dict.fromkeys(TEXTS, result.fidelity),
        corpus=text,
        machine=text,
        tools={text: text},
    )
