import json

import pytest

from mlx_engine.cli.main import main
from mlx_engine.models.library import catalog


def test_lists_every_entry_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is an entry with its recommended build."""
    assert main(["catalog", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["repository"] for line in lines} == {entry.repository for entry in catalog.read()}
    assert all(line["recommended"] is None or line["recommended"] in line["builds"] for line in lines)


def test_lists_every_entry_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["catalog"]) == 0
    output = capsys.readouterr().out
    for entry in catalog.read():
        assert entry.name in output
        assert any(build.repository in output for build in entry.builds)
