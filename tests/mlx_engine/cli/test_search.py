import json

import pytest

from mlx_engine.cli.main import main
from tests.hub.repository import Repository
from tests.hub.server import Hub

pytestmark = pytest.mark.process


@pytest.fixture
def qwen_hub(hub: Hub) -> Hub:
    for bits, elements in ((4, 502_000_000), (8, 1_004_000_000)):
        repository = Repository(
            f"mlx-community/Qwen3-4B-{bits}bit",
            tags=("mlx", "license:apache-2.0", "base_model:quantized:Qwen/Qwen3-4B"),
            tensor_counts={"U32": elements, "BF16": 126_000_000},
            downloads=1000 * bits,
        )
        hub.add(repository).commit({"config.json": b"{}"})
    return hub


def test_results_are_a_table(qwen_hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Each base model is followed by its variants with size and license."""
    assert main(["search", "qwen"]) == 0
    heading, base, first, second = capsys.readouterr().out.splitlines()
    assert heading.split()[:4] == ["Repository", "Quantization", "Parameters", "Size"]
    assert base.strip() == "Qwen/Qwen3-4B"
    assert first.split()[:5] == ["mlx-community/Qwen3-4B-8bit", "8-bit", "4.02B", "4.3", "GB"]
    assert second.split()[5] == "apache-2.0"


def test_json_output_is_one_object_per_base_model(qwen_hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "qwen", "--json", "--order", "downloads"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    group = json.loads(line)
    assert group["base_model"] == "Qwen/Qwen3-4B"
    assert [variant["quantization"] for variant in group["variants"]] == ["8-bit", "4-bit"]


@pytest.mark.parametrize(
    "options",
    ["--class micro", "--license mit", "--max-gb 1", "--gated", "--author absent", "--class nano --class large"],
)
def test_filters_that_match_nothing_are_reported(
    qwen_hub: Hub, capsys: pytest.CaptureFixture[str], options: str
) -> None:
    """Standard output is empty."""
    assert main(["search", "qwen", *options.split()]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "No results." in err


def test_filters_are_combined(qwen_hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Only one of the two models has at most four gigabytes."""
    assert main(["search", "--max-gb", "4", "--class", "small", "--no-gated"]) == 0
    out = capsys.readouterr().out
    assert "4bit" in out
    assert "8bit" not in out


def test_models_too_large_for_any_machine_do_not_fit(qwen_hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """With a size limit as well, the smaller of the two applies."""
    huge = Repository("maker/Huge", tags=("mlx",), tensor_counts={"BF16": 10**15})
    qwen_hub.add(huge).commit({"config.json": b"{}"})
    assert main(["search", "huge", "--fits"]) == 0
    assert not capsys.readouterr().out
    assert main(["search", "qwen", "--fits", "--max-gb", "1"]) == 0
    assert not capsys.readouterr().out


def test_names_cannot_control_the_terminal(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Text from the Hub is as untrusted as a model's output."""
    hub.add(Repository("a/b", tags=("mlx", "license:\x1b]0;title\x07mit"))).commit({"config.json": b"{}"})
    assert main(["search"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
