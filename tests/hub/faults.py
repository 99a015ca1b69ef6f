"""Faults that a test can inject into the test Hub."""

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Slow:
    """Send or receive at a limited rate."""

    bytes_per_s: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection after a number of bytes: of the response body, or of the request body in an upload."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop sending or receiving the body after a number of bytes, set `reached`, and wait until `released` is set."""

    after_bytes: int
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Respond with this status only."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class WrongContent:
    """Send different bytes of the announced length."""


@dataclass(frozen=True, slots=True)
class WrongLength:
    """Announce and send a different length than the listing; a negative `by` is shorter."""

    by: int


@dataclass(frozen=True, slots=True)
class NoRange:
    """Ignore the requested range and send the whole file."""


@dataclass(frozen=True, slots=True)
class LimitRange:
    """Refuse requests for more than `largest_bytes` at once, as the real Hub does for files over 50 GB."""

    largest_bytes: int


@dataclass(frozen=True, slots=True)
class WrongRedirect:
    """Redirect to this URL instead of the correct one."""

    location: str


Fault = Slow | Cut | Hold | Refuse | WrongContent | WrongLength | NoRange | LimitRange | WrongRedirect


@dataclass(slots=True)
class ScheduledFault:
    """`fault` for the next `times` requests whose path contains `path`, after `after` normal ones."""

    path: str
    fault: Fault
    times: int
    after: int = 0
