"""What a test can order to go wrong on the small Hub."""

import threading
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Slow:
    """Send, or take in, no more than so many bytes a second."""

    bytes_per_s: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection after so many bytes of the body, of the answer or, where a file is sent, of the request."""

    after_bytes: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Send, or take in, so many bytes of the body, then nothing until `released` is set; `reached` tells that it is so
    far."""

    after_bytes: int
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with this status and nothing else."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    message: str = ""


@dataclass(frozen=True, slots=True)
class WrongContent:
    """Send as many bytes as promised, but others."""


@dataclass(frozen=True, slots=True)
class WrongLength:
    """Send so many bytes more (or fewer, if negative) than the listing says, and announce just that."""

    by: int


@dataclass(frozen=True, slots=True)
class NoRange:
    """Ignore that only a range was asked for, and send the whole file."""


@dataclass(frozen=True, slots=True)
class PartsOnly:
    """Refuse whoever asks for more than so many bytes at once, as the real one does with files over 50 GB."""

    largest_bytes: int


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Redirect to this address instead of the right one."""

    location: str


Fault = Slow | Cut | Hold | Refuse | WrongContent | WrongLength | NoRange | PartsOnly | Elsewhere


@dataclass(slots=True)
class Order:
    """`fault` for `times` answers whose path contains `path`, after so many others."""

    path: str
    fault: Fault
    times: int
    after: int = 0
