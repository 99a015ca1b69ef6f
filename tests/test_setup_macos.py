"""The set-up script on machines that it must refuse: each told by small programs first on the search path."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.process


@pytest.fixture
def machine(tmp_path: Path):
    """Return a function that runs the script where the programs named print the text given."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("setup_macos.sh", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    programs = tmp_path / "programs"
    programs.mkdir()

    def run(*arguments: str, environment: dict[str, str] | None = None, **prints: str) -> subprocess.CompletedProcess:
        for name, body in prints.items():
            program = programs / name
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o755)
        return subprocess.run(
            ["bash", checkout / "setup_macos.sh", *arguments],
            env={**os.environ, "PATH": f"{programs}:/usr/bin:/bin", **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_an_unknown_argument_is_named_with_the_known_ones(machine):
    """`./setup_macos.sh frob` says what can be asked instead."""
    outcome = machine("frob")
    assert outcome.returncode == 1
    assert "there is no 'frob'. Use ./setup_macos.sh, or ./setup_macos.sh test." in outcome.stderr


def test_another_system_is_refused_by_name(machine):
    """A system that is neither macOS nor Linux is refused before anything is installed."""
    outcome = machine(uname="echo FreeBSD")
    assert outcome.returncode == 1
    assert "FreeBSD is not supported" in outcome.stderr


def test_an_intel_mac_is_refused(machine):
    """MLX needs Apple Silicon; an Intel Mac learns so in a sentence."""
    outcome = machine(uname="echo Darwin", sysctl="echo 0")
    assert outcome.returncode == 1
    assert "Intel" in outcome.stderr


def test_an_old_macos_is_told_what_to_update_to(machine):
    """The version found and the one needed are both said."""
    outcome = machine(uname="echo Darwin", sysctl="echo 1", sw_vers="echo 13.6.1")
    assert outcome.returncode == 1
    assert "runs macOS 13.6.1. Update it to macOS 14 or later" in outcome.stderr


def test_too_little_space_is_said_with_figures(machine):
    """The space that is there and the space that is needed are both said, and nothing is installed."""
    outcome = machine(df=r"printf 'h\ndisk 9 9 102400 9%% /\n'", **{"dpkg-query": "echo 'install ok installed'"})
    assert outcome.returncode == 1
    assert "only 100 MiB are free on this disk and about 3072 are needed" in outcome.stderr


def test_a_python_that_does_not_serve_is_refused(machine):
    """FACET_PYTHON must name a working Python of a version that Facet runs on."""
    outcome = machine(environment={"FACET_PYTHON": "/bin/false"}, **{"dpkg-query": "echo 'install ok installed'"})
    assert outcome.returncode == 1
    assert "FACET_PYTHON is /bin/false, which is no working Python 3.11 to 3.14" in outcome.stderr
