"""The offline switch: while it is on, a process of Facet opens no socket but to this machine itself.

The switch is an environment variable, so that child processes inherit it. It is enforced by an audit hook: Python asks
it before every connection and every look-up of a name, whichever library wants it, and it cannot be taken out again.
Native code that opens sockets by itself is not seen; `job_environment` turns off the one such library, hf-xet.
What is refused is noted in one file, a line each, by all processes alike.
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

_internet = (socket.AF_INET, socket.AF_INET6)
_connections = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind")
_look_ups = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_proxies = ("http_proxy", "https_proxy", "all_proxy")


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get(OFFLINE_VARIABLE, "0") not in ("", "0")


def set_offline(offline: bool) -> None:
    """Turn the switch for the processes that are started from now on."""
    os.environ[OFFLINE_VARIABLE] = "1" if offline else "0"


def take_offline_option(arguments: Sequence[str]) -> list[str]:
    """Turn the switch on if `arguments` ask for it; return the others."""
    if OFFLINE_OPTION in arguments:
        set_offline(True)
    return [argument for argument in arguments if argument != OFFLINE_OPTION]


def refuse_all_but_loopback(logs: Path) -> None:
    """Refuse, for the rest of this process's life, every address that is not this machine, and note it in `logs`.

    A refused call raises an `OSError`, as it does without a network.
    """
    for name in _proxies:  # One on this machine would carry the connection on to anywhere.
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    log = logs / LOG_NAME

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        host = _host(event, arguments)
        if host is not None and not is_loopback(host):
            _note(log, f"{event.removeprefix('socket.')} {host}")
            raise OSError(errno.ENETDOWN, f"Facet is offline and does not connect to {host}")

    sys.addaudithook(check)


def is_loopback(host: str) -> bool:
    """Tell whether `host`, a name or an address, is this machine."""
    if host in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def refused(logs: Path) -> int:
    """Return how many connections have been refused since the log was begun."""
    try:
        return (logs / LOG_NAME).read_bytes().count(b"\n")
    except OSError:
        return 0


def _host(event: str, arguments: tuple[Any, ...]) -> str | None:
    """Return whom the event is about; None if that is no matter of the network."""
    if event in _look_ups:
        return _text(arguments[0])
    if event in _connections:
        opened, address = arguments[:2]
        if opened.family in _internet and isinstance(address, tuple):
            # To be bound to no address means to be reached by all.
            return _text(address[0]) or ("0.0.0.0" if event == "socket.bind" else "")  # noqa: S104
    return None


def _text(host: object) -> str:
    if isinstance(host, bytes):
        return host.decode("utf-8", "replace")
    return "" if host is None else str(host)


def _note(log: Path, what: str) -> None:
    # One write to a file opened for appending is whole, also when several processes do it.
    line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {os.getpid()} {what}\n"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as file:
            file.write(line)
    except OSError:
        sys.stderr.write(line)
