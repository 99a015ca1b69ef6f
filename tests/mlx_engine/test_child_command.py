import subprocess
import sys

import pytest

from mlx_engine.child_command import child_command


@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_packaged_app_starts_children_like_a_checkout(monkeypatch: pytest.MonkeyPatch, *, is_frozen: bool) -> None:
    """The command does not depend on the marks that packagers set."""
    monkeypatch.setattr(sys, "frozen", is_frozen, raising=False)
    monkeypatch.setattr(sys, "executable", "/Applications/Facet.app/Contents/Resources/python/bin/python3.12")
    assert child_command("job") == [sys.executable, "-m", "mlx_engine", "job"]


@pytest.mark.process
@pytest.mark.parametrize("kind", ["worker", "job"])
def test_the_command_starts_a_child_that_ends_with_its_input(kind: str) -> None:
    """Standard output stays empty, since the child got no request."""
    child = subprocess.run(child_command(kind), input=b"", capture_output=True, timeout=30, check=False)
    assert (child.returncode, child.stdout) == (0, b"")
