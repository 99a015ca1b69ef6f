import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlx_engine import network

# Names and addresses reserved for documentation (RFC 5737, RFC 2606): nothing gets out even if the switch fails.
ATTEMPTS = {
    "connect": "socket.socket().connect(('192.0.2.1', 80))",
    "connect_ex": "socket.socket().connect_ex(('192.0.2.1', 80))",
    "connect by IPv6": "socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "mapped address": "socket.socket(socket.AF_INET6).connect(('::ffff:192.0.2.1', 80))",
    "datagram": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
    "look-up": "socket.getaddrinfo('example.invalid', 443)",
    "old look-up": "socket.gethostbyname('example.invalid')",
    "listen to all": "socket.socket().bind(('', 0))",
    "urllib": "urllib.request.urlopen('http://192.0.2.1/', timeout=5)",
    "by a proxy": "urllib.request.urlopen('http://example.invalid/', timeout=5)",
}
ALLOWED = {
    "loopback": "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(s.getsockname()).close()",
    "localhost": "socket.getaddrinfo('localhost', 80)",
    "own pipe": "socket.socketpair()",
    "file socket": "socket.socket(socket.AF_UNIX).connect_ex('/nowhere')",
}
PROGRAM = """
import json, pathlib, socket, sys, urllib.request
from mlx_engine import network
network.refuse_all_but_loopback(pathlib.Path(sys.argv[1]))
errors = {}
for name, code in json.loads(sys.argv[2]).items():
    try:
        exec(code)
        errors[name] = ""
    except OSError as error:
        errors[name] = str(error)
print(json.dumps(errors))
"""

pytestmark = pytest.mark.process


def attempt(logs: Path, codes: dict[str, str]) -> dict[str, str]:
    """Run each line in an offline process; return its error, or "" if it succeeded."""
    child = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(logs), json.dumps(codes)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"},
    )
    errors: dict[str, str] = json.loads(child.stdout)
    return errors


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({}, ""),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
        ({"HF_HUB_OFFLINE": "yes", "TRANSFORMERS_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
        ({"TRANSFORMERS_OFFLINE": "true"}, "TRANSFORMERS_OFFLINE"),
        ({"HF_HUB_OFFLINE": "0", "TRANSFORMERS_OFFLINE": "1"}, ""),
    ],
)
def test_the_variable_that_keeps_the_hub_offline_is_found(environment: dict[str, str], variable: str) -> None:
    """The rules are those of `huggingface_hub`."""
    assert network.hub_offline_variable(environment) == variable


def test_every_connection_elsewhere_is_refused_and_counted(tmp_path: Path) -> None:
    """By address and by name, even through a proxy on this Mac; one log line each."""
    errors = attempt(tmp_path, ATTEMPTS)
    assert {name for name, error in errors.items() if "Facet is offline" not in error} == set()
    assert network.refused_count(tmp_path) == len(ATTEMPTS)
    assert "192.0.2.1" in (tmp_path / network.LOG_NAME).read_text()


def test_connections_to_this_mac_are_allowed(tmp_path: Path) -> None:
    """Loopback, pipes and Unix sockets."""
    assert not any(attempt(tmp_path, ALLOWED).values())
    assert network.refused_count(tmp_path) == 0


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("fe80::1%lo", False),
        ("0.0.0.0", False),  # noqa: S104 - nothing is bound
        ("10.0.0.1", False),
        ("localhost.example.invalid", False),
        ("2130706433", False),
    ],
)
def test_only_loopback_counts_as_this_mac(host: str, is_here: bool) -> None:
    """Names are compared literally, without a lookup."""
    assert network.is_loopback(host) is is_here


def test_the_option_turns_the_switch_for_children_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come anywhere, and is removed from the arguments."""
    monkeypatch.delenv(network.OFFLINE_VARIABLE, raising=False)
    assert network.apply_offline_option(["models"]) == ["models"]
    assert not network.is_offline()
    monkeypatch.setenv(network.OFFLINE_VARIABLE, "0")  # So that it is put back.
    assert network.apply_offline_option(["--offline", "models", "--json"]) == ["models", "--json"]
    assert network.is_offline()


def test_a_worker_never_reaches_the_network(tmp_path: Path) -> None:
    """Even when the switch is off."""
    program = (
        "import socket, sys; from mlx_engine.engine.children import worker\n"
        "worker.main = lambda: socket.getaddrinfo('example.invalid', 443)\n"
        "from mlx_engine.__main__ import main; main(['worker'])"
    )
    environment = {**os.environ, "FACET_HOME": str(tmp_path)}
    child = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert "Facet is offline and does not connect to example.invalid" in child.stderr
    assert network.refused_count(tmp_path / "logs") == 1
