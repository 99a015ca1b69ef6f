"""The offline switch: while it is on, Facet's processes open sockets to this Mac only.

The switch is an environment variable, so that child processes inherit it. An audit hook enforces it: Python calls it
before every connection and every name lookup, by any library, and it cannot be removed. Native code that opens sockets
itself is not covered; `job_environment` turns off the one such library, hf-xet. All processes log refused connections
in one file, one per line.
"""

import errno
import ipaddress
import os
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OFFLINE_VARIABLE = "FACET_OFFLINE"
OFFLINE_OPTION = "--offline"
LOG_NAME = "refused.log"

_hub_variables = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
_internet = (socket.AF_INET, socket.AF_INET6)
_connections = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
_lookups = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_proxies = ("http_proxy", "https_proxy", "all_proxy")


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get(OFFLINE_VARIABLE, "0") not in ("", "0")


def hub_offline_variable(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name of the variable that keeps `huggingface_hub` offline; "" if there is none."""
    name = next((name for name in _hub_variables if environment.get(name)), "")
    return name if environment.get(name, "").upper() in ("1", "ON", "YES", "TRUE") else ""


def set_offline(offline: bool) -> None:
    """Set the switch for processes started from now on."""
    os.environ[OFFLINE_VARIABLE] = "1" if offline else "0"


def apply_offline_option(arguments: Sequence[str]) -> list[str]:
    """Turn the switch on if `arguments` contain the option; return the other arguments."""
    if OFFLINE_OPTION in arguments:
        set_offline(True)
    return [argument for argument in arguments if argument != OFFLINE_OPTION]


def refuse_all_but_loopback(logs: Path) -> None:
    """Refuse connections to any other machine for the rest of this process, and log them in `logs`.

    A refused call raises an `OSError`, as without a network.
    """
    for name in _proxies:  # A proxy on this Mac would forward the connection anywhere.
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    log = logs / LOG_NAME

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        host = _host(event, arguments)
        if host is not None and not is_loopback(host):
            _log_refusal(log, f"{event.removeprefix('socket.')} {host}")
            raise OSError(errno.ENETDOWN, f"Facet is offline and does not connect to {host}")

    sys.addaudithook(refuse)


def is_loopback(host: str) -> bool:
    """Return True if `host`, a name or an address, is this Mac."""
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def refused_count(logs: Path) -> int:
    """Return the number of connections refused since the log was created."""
    try:
        return (logs / LOG_NAME).read_bytes().count(b"\n")
    except OSError:
        return 0


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return the host of the event; None if it does not use the network."""
    if event in _lookups:
        return _text(arguments[0])
    if event in _connections:
        socket_object, address = arguments[:2]
        if socket_object.family in _internet and isinstance(address, tuple):
            # A socket bound to no address can be reached from any.
            return _text(address[0]) or ("0.0.0.0" if event == "socket.bind" else "")  # noqa: S104
    return None


def _text(host: object) -> str:
    if isinstance(host, bytes):
        return host.decode("utf-8", "replace")
    return "" if host is None else str(host)


def _log_refusal(log: Path, attempt: str) -> None:
    # A single write to a file opened for appending is atomic, even with several processes.
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {os.getpid()} {attempt}\n"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError:
        sys.stderr.write(line)
