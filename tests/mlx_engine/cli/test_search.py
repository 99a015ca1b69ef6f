import json

import pytest

from mlx_engine.cli.main import main
from tests.hub.repository import Repository
from tests.hub.server import Hub


@pytest.fixture
def shelf(hub: Hub) -> Hub:
    for bits, elements in ((4, 502_000_000), (8, 1_004_000_000)):
        repository = Repository(
            f"mlx-community/Qwen3-4B-{bits}bit",
            tags=("mlx", "license:apache-2.0", "base_model:quantized:Qwen/Qwen3-4B"),
            tensor_counts={"U32": elements, "BF16": 126_000_000},
            downloads=1000 * bits,
        )
        hub.add(repository).commit({"config.json": b"{}"})
    return hub


def test_what_is_found_is_a_table(shelf: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """The base model, and below it its variants with size and license."""
    assert main(["search", "qwen"]) == 0
    heading, base, first, second = capsys.readouterr().out.splitlines()
    assert heading.split()[:4] == ["repository", "quantization", "parameters", "size"]
    assert base.strip() == "Qwen/Qwen3-4B"
    assert first.split()[:5] == ["mlx-community/Qwen3-4B-8bit", "8-bit", "4.02B", "4.3", "GB"]
    assert second.split()[5] == "apache-2.0"


def test_json_is_one_object_for_each_base_model(shelf: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """With its variants."""
    assert main(["search", "qwen", "--json", "--order", "downloads"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    group = json.loads(line)
    assert group["base_model"] == "Qwen/Qwen3-4B"
    assert [variant["quantization"] for variant in group["variants"]] == ["8-bit", "4-bit"]


@pytest.mark.parametrize(
    "options",
    ["--class micro", "--license mit", "--max-gb 1", "--gated", "--author nobody", "--class nano --class large"],
)
def test_filters_can_leave_nothing(shelf: Hub, capsys: pytest.CaptureFixture[str], options: str) -> None:
    """Then standard output is empty, and a sentence says so."""
    assert main(["search", "qwen", *options.split()]) == 0
    out, err = capsys.readouterr()
    assert not out
    assert "Nothing was found" in err


def test_a_limit_and_a_size_leave_some(shelf: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """Four gigabytes hold one of the two."""
    assert main(["search", "--max-gb", "4", "--class", "small", "--no-gated"]) == 0
    out = capsys.readouterr().out
    assert "4bit" in out
    assert "8bit" not in out


def test_what_no_machine_can_hold_does_not_fit(shelf: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """With a limit besides, the smaller of the two counts."""
    huge = Repository("maker/Huge", tags=("mlx",), tensor_counts={"BF16": 10**15})
    shelf.add(huge).commit({"config.json": b"{}"})
    assert main(["search", "huge", "--fits"]) == 0
    assert not capsys.readouterr().out
    assert main(["search", "qwen", "--fits", "--max-gb", "1"]) == 0
    assert not capsys.readouterr().out


def test_names_cannot_command_the_terminal(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    """The Hub's words are as foreign as a model's."""
    hub.add(Repository("a/b", tags=("mlx", "license:\x1b]0;title\x07mit"))).commit({"config.json": b"{}"})
    assert main(["search"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
