"""Tests of `facet bench`, with tiny models in real processes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine.cli import job
from mlx_engine.cli.job import JobError
from mlx_engine.cli.main import main
from mlx_engine.cli.views.bench import fields, lines
from mlx_engine.measure.results.messages import MeasureSpeed, SpeedMeasured, SpeedProgress
from mlx_engine.measure.results.speed_result import RateSeries, SpeedPlan, SpeedResult

Output = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("home")


def _result(*, decode: tuple[float, ...] = (100.0, 102.0, 104.0), failures: tuple[str, ...] = ()) -> SpeedResult:
    return SpeedResult(
        model="maker/model",
        weights="w",
        plan=SpeedPlan(),
        load_s=(1.5, 0.25),
        resident_share=0.0,
        prefill_rates=(RateSeries(512, (1000.0, 1024.0, 1048.0), 2 * 2**30),),
        decode_rates=(RateSeries(0, decode, 2**30), RateSeries(2048, (50.0, 50.0, 50.0), 3 * 2**30)),
        failures=failures,
        peak_memory_bytes=3 * 2**30,
        machine="Apple M4",
        tools={"mlx": "0.32"},
    )


def _script_job(monkeypatch: pytest.MonkeyPatch, *events: object) -> None:
    """Make the job yield these events; it raises those that are exceptions."""

    def run(request: MeasureSpeed, _folders: object) -> Iterator[object]:
        for event in events:
            if isinstance(event, BaseException):
                raise event
            yield event

    monkeypatch.setattr(job, "run", run)


def _progress(step: str, so_far: SpeedResult | None) -> SpeedProgress:
    return SpeedProgress(id="", done=0, total=9, step=step, so_far=so_far)


def test_a_model_is_measured(tiny_models: Path, capsys: Output) -> None:
    """Test names are llama-bench's; several lengths are separated by commas."""
    model = str(tiny_models / "llama")
    assert main(["bench", model, "-p", "16,32", "-n", "4", "-d", "0,16", "-r", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [test["test"] for test in result["tests"]] == ["pp16", "pp32", "tg4", "tg4 @ d16"]
    assert result["model"] == model


def test_the_table_is_that_of_llama_bench() -> None:
    """Markdown, at most 80 columns wide."""
    text = list(lines(_result(decode=(100.0, 60.0, 102.0))))
    assert [line for line in text if line.startswith("|")] == [
        "| Test         |            tok/s | Time to first token | Peak memory |",
        "| ------------ | ---------------: | ------------------: | ----------: |",
        "| pp512        | 1,024.0 ± 24.0   |              0.50 s |        2 GB |",
        "| tg64         |   100.0 ± 21.0 * |                     |        1 GB |",
        "| tg64 @ d2048 |     50.0 ± 0.0   |                     |        3 GB |",
    ]
    assert max(map(len, text)) <= 80


def test_cold_and_warm_loads_are_distinguished() -> None:
    assert "Load time: 1.50 s cold, 0.25 s again." in list(lines(_result()))
    assert fields(_result())["warmth"] == "cold"


def test_disturbed_figures_are_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """They are shown with a star; scripts see it in the exit code and the JSON."""
    disturbed = _result(decode=(100.0, 60.0, 102.0))
    _script_job(monkeypatch, _progress("loading", None), SpeedMeasured("", disturbed))
    monkeypatch.setattr("mlx_engine.cli.bench.find_model", lambda *_: _Model)
    assert main(["bench", "model"]) == 1
    out, err = capsys.readouterr()
    assert "100.0 ± 21.0 *" in out
    assert "Something else was running" in err
    assert [test["is_disturbed"] for test in fields(disturbed)["tests"]] == [False, True, False]


class _Model:
    path = Path("model")


def test_results_before_a_crash_are_shown(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """With the step and the reason of the crash."""
    _script_job(monkeypatch, _progress("reading 8,192 tokens", _result()), JobError("The job stopped", "It aborted."))
    monkeypatch.setattr("mlx_engine.cli.bench.find_model", lambda *_: _Model)
    assert main(["bench", "model", "--json"]) == 1
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert result["failures"] == ["reading 8,192 tokens: It aborted"]
    assert len(result["tests"]) == 3
    assert err == "facet: The job stopped: It aborted.\n"


def test_control_c_shows_the_results_so_far(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    _script_job(monkeypatch, _progress("reading 8,192 tokens", _result()), KeyboardInterrupt())
    monkeypatch.setattr("mlx_engine.cli.bench.find_model", lambda *_: _Model)
    assert main(["bench", "model"]) == 130
    out, err = capsys.readouterr()
    assert "pp512" in out
    assert err == "Stopped. The results are not saved.\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prompt", "many"], "--prompt must be whole numbers"),
        (["-p", "-5"], "At prompts[0]: expected a whole number, at least 1."),
        (["-r", "1000"], "At repetitions: expected a whole number, at most 100."),
        (["-p", "9000", "-n", "0"], "Only the load time could be measured."),
    ],
)
def test_an_impossible_measurement_is_reported(
    options: list[str], message: str, tiny_models: Path, capsys: Output
) -> None:
    assert main(["bench", str(tiny_models / "llama"), *options]) == 1
    assert message in capsys.readouterr().err


def test_an_unknown_model_comes_with_its_download_command(capsys: Output) -> None:
    """Only if its name could be a Hub repository."""
    assert main(["bench", "mlx-community/whale-4bit"]) == 1
    assert "download it with `facet pull mlx-community/whale-4bit`." in capsys.readouterr().err
    assert main(["bench", "whale"]) == 1
    assert "pull" not in capsys.readouterr().err
