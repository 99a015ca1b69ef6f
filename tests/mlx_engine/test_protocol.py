"""The JSON lines between Facet and a worker."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine import protocol
from mlx_engine.protocol import ChatMessage, Generate, Load, MalformedRequest
from mlx_engine.sampling import Sampling


@given(st.text(), st.text())
def test_any_text_survives_encoding_on_one_line(text: str, system: str) -> None:
    """Control characters, newlines and emoji come back unchanged, and never break the line."""
    sent = Generate(id="1", messages=(ChatMessage("system", system), ChatMessage("user", text)))
    line = protocol.encode(sent)
    assert line.count(b"\n") == 1
    assert protocol.decode_request(line) == sent


def test_lone_surrogates_are_replaced() -> None:
    """A lone surrogate is not valid UTF-8 and becomes U+FFFD; a pair becomes its character."""
    line = protocol.encode(Load("1", "a\ud800b\ud83d\ude00"))
    assert protocol.decode_request(line) == Load("1", "a\ufffdb\U0001f600")


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'"text"', b'{"type":"other"}', b"\xff\xfe", b"[" * 100_000, b'{"type":"load","id":"\\ud800"}'],
)
def test_an_invalid_line_is_refused(line: bytes) -> None:
    """Always with the same error class, and without an id."""
    with pytest.raises(MalformedRequest) as caught:
        protocol.decode_request(line)
    assert caught.value.id == ""
    assert caught.value.message.endswith(".")


def test_an_error_has_the_id_and_the_range() -> None:
    """A value out of range is reported with its request and the valid range."""
    line = b'{"type":"generate","id":"7","messages":[],"sampling":{"temperature":3}}'
    with pytest.raises(MalformedRequest) as caught:
        protocol.decode_request(line)
    assert (caught.value.id, caught.value.message) == ("7", "temperature is 3; it must be from 0 to 2.")


def test_events_keep_their_type() -> None:
    """The tag of a line gives the type of the event."""
    for event in (protocol.Delta("1", "thinking", "…", 3), protocol.Memory(1, 2), protocol.Finished("1", "stop")):
        assert protocol.decode_event(protocol.encode(event)) == event
    with pytest.raises(msgspec.DecodeError):
        protocol.decode_event(b"print from a library")


def test_defaults_can_be_omitted() -> None:
    """A request with messages only gets the default sampling."""
    request = protocol.decode_request(b'{"type":"generate","id":"1","messages":[{"role":"user","content":"Hi"}]}')
    assert isinstance(request, Generate)
    assert request.sampling == Sampling()
