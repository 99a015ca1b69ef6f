"""Tests of the setup script on unsupported computers, simulated by small programs first on the search path."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.process


@pytest.fixture
def machine(tmp_path: Path):
    """Function that runs the script with small programs, each with a name and a shell command."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in ("setup_macos.sh", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, checkout)
    programs = tmp_path / "programs"
    programs.mkdir()

    def run(*arguments: str, environment: dict[str, str] | None = None, **bodies: str) -> subprocess.CompletedProcess:
        for name, body in bodies.items():
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


def test_an_unknown_argument_is_reported(machine):
    """The message lists the valid ones."""
    outcome = machine("frob")
    assert outcome.returncode == 1
    assert "Setup failed: unknown argument 'frob'. Use ./setup_macos.sh or ./setup_macos.sh test." in outcome.stderr


def test_another_system_is_refused(machine):
    """Nothing is installed."""
    outcome = machine(uname="echo FreeBSD")
    assert outcome.returncode == 1
    assert "FreeBSD is not supported" in outcome.stderr


def test_an_intel_mac_is_refused(machine):
    """MLX needs Apple silicon."""
    outcome = machine(uname="echo Darwin", sysctl="echo 0")
    assert outcome.returncode == 1
    assert "Intel" in outcome.stderr


def test_an_old_macos_is_refused(machine):
    """The message has the installed and the required version."""
    outcome = machine(uname="echo Darwin", sysctl="echo 1", sw_vers="echo 13.6.1")
    assert outcome.returncode == 1
    assert "has macOS 13.6.1. Update to macOS 14 or later" in outcome.stderr


def test_too_little_disk_space_is_reported(machine):
    """The message has the free and the required space; nothing is installed."""
    outcome = machine(df=r"printf 'h\ndisk 9 9 102400 9%% /\n'", **{"dpkg-query": "echo 'install ok installed'"})
    assert outcome.returncode == 1
    assert "100 MiB free, about 3072 MiB needed" in outcome.stderr


def test_an_unsuitable_python_is_refused(machine):
    """FACET_PYTHON must be a working Python of a supported version."""
    outcome = machine(environment={"FACET_PYTHON": "/bin/false"}, **{"dpkg-query": "echo 'install ok installed'"})
    assert outcome.returncode == 1
    assert "FACET_PYTHON (/bin/false) is not a working Python 3.11 to 3.14" in outcome.stderr
