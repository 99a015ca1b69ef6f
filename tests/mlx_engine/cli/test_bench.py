"""Behaviour of `facet bench`, with tiny models in real processes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlx_engine.cli import job
from mlx_engine.cli.job import JobError
from mlx_engine.cli.main import main
from mlx_engine.cli.views.bench import fields, lines
from mlx_engine.measure.results.messages import MeasureSpeed, SpeedMeasured, SpeedProgress
from mlx_engine.measure.results.speed_result import Series, SpeedPlan, SpeedResult

Output = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("home")


def _result(*, decode: tuple[float, ...] = (100.0, 102.0, 104.0), failures: tuple[str, ...] = ()) -> SpeedResult:
    return SpeedResult(
        model="maker/model",
        weights="w",
        plan=SpeedPlan(),
        load_s=(1.5, 0.25),
        held_share=0.0,
        reading=(Series(512, (1000.0, 1024.0, 1048.0), 2 * 2**30),),
        decoding=(Series(0, decode, 2**30), Series(2048, (50.0, 50.0, 50.0), 3 * 2**30)),
        failures=failures,
        peak_memory_bytes=3 * 2**30,
        machine="Apple M4",
        tools={"mlx": "0.32"},
    )


def _told(monkeypatch: pytest.MonkeyPatch, *events: object) -> None:
    """Let the job tell these events; what is an exception, it dies of."""

    def run(request: MeasureSpeed, _folders: object) -> Iterator[object]:
        for event in events:
            if isinstance(event, BaseException):
                raise event
            yield event

    monkeypatch.setattr(job, "run", run)


def _underway(words: str, so_far: SpeedResult | None) -> SpeedProgress:
    return SpeedProgress(id="", done=0, total=9, words=words, so_far=so_far)


def test_a_small_model_is_measured(tiny_models: Path, capsys: Output) -> None:
    """By the names that llama-bench has for its figures; several lengths with commas. It may be disturbed here."""
    model = str(tiny_models / "llama")
    assert main(["bench", model, "-p", "16,32", "-n", "4", "-d", "0,16", "-r", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [test["test"] for test in found["tests"]] == ["pp16", "pp32", "tg4", "tg4 @ d16"]
    assert found["model"] == model


def test_the_table_is_that_of_llama_bench() -> None:
    """It is Markdown, and all of it fits 80 columns."""
    found = list(lines(_result(decode=(100.0, 60.0, 102.0))))
    assert [line for line in found if line.startswith("|")] == [
        "| Test         |            tok/s | Time to first token | Peak memory |",
        "| ------------ | ---------------: | ------------------: | ----------: |",
        "| pp512        | 1,024.0 ± 24.0   |              0.50 s |        2 GB |",
        "| tg64         |   100.0 ± 21.0 * |                     |        1 GB |",
        "| tg64 @ d2048 |     50.0 ± 0.0   |                     |        3 GB |",
    ]
    assert max(map(len, found)) <= 80


def test_cold_and_warm_loads_are_told_apart() -> None:
    """By what the system held in memory before."""
    assert "Load time: 1.50 s cold, 0.25 s again." in list(lines(_result()))
    assert fields(_result())["warmth"] == "cold"


def test_disturbed_figures_are_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """They are shown all the same, with a star; scripts see it by the exit code and in the JSON."""
    disturbed = _result(decode=(100.0, 60.0, 102.0))
    _told(monkeypatch, _underway("loading", None), SpeedMeasured("", disturbed))
    monkeypatch.setattr("mlx_engine.cli.bench.find_model", lambda *_: _Model)
    assert main(["bench", "model"]) == 1
    out, err = capsys.readouterr()
    assert "100.0 ± 21.0 *" in out
    assert "Something else was running" in err
    assert [test["is_disturbed"] for test in fields(disturbed)["tests"]] == [False, True, False]


class _Model:
    path = Path("model")


def test_what_was_found_before_the_process_died_is_shown(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """With what it died in, and of."""
    _told(monkeypatch, _underway("reading 8,192 tokens", _result()), JobError("The job stopped", "It aborted."))
    monkeypatch.setattr("mlx_engine.cli.bench.find_model", lambda *_: _Model)
    assert main(["bench", "model", "--json"]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["failures"] == ["reading 8,192 tokens: It aborted"]
    assert len(found["tests"]) == 3
    assert err == "facet: The job stopped: It aborted.\n"


def test_control_c_shows_what_was_found_until_then(monkeypatch: pytest.MonkeyPatch, capsys: Output) -> None:
    """And says that nothing of it is kept."""
    _told(monkeypatch, _underway("reading 8,192 tokens", _result()), KeyboardInterrupt())
    monkeypatch.setattr("mlx_engine.cli.bench.find_model", lambda *_: _Model)
    assert main(["bench", "model"]) == 130
    out, err = capsys.readouterr()
    assert "pp512" in out
    assert err == "Stopped. Nothing of it is kept.\n"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--prompt", "many"], "--prompt wants whole numbers"),
        (["-p", "-5"], "At prompts[0]: it should be a whole number, at least 1."),
        (["-r", "1000"], "At repetitions: it should be a whole number, at most 100."),
        (["-p", "9000", "-n", "0"], "Nothing could be measured but the loading."),
    ],
)
def test_what_cannot_be_measured_is_told(options: list[str], sentence: str, tiny_models: Path, capsys: Output) -> None:
    """In a sentence, with the exit code 1."""
    assert main(["bench", str(tiny_models / "llama"), *options]) == 1
    assert sentence in capsys.readouterr().err


def test_a_model_that_may_be_on_the_hub_is_told_how_to_get(capsys: Output) -> None:
    """Facet downloads nothing unasked."""
    assert main(["bench", "mlx-community/whale-4bit"]) == 1
    assert "download it with `facet pull mlx-community/whale-4bit`." in capsys.readouterr().err
    assert main(["bench", "whale"]) == 1
    assert "pull" not in capsys.readouterr().err
