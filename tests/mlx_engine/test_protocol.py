"""The lines between Facet and a worker."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlx_engine import protocol
from mlx_engine.protocol import ChatMessage, Generate, Load, MalformedRequest
from mlx_engine.sampling import Sampling


@given(st.text(), st.text())
def test_any_text_survives_the_wire_on_one_line(text: str, system: str) -> None:
    """Control characters, newlines and emoji come back as they were, and never break the line."""
    sent = Generate(id="1", messages=(ChatMessage("system", system), ChatMessage("user", text)))
    line = protocol.encode(sent)
    assert line.count(b"\n") == 1
    assert protocol.decode_request(line) == sent


def test_half_a_character_is_replaced_and_whole_ones_are_kept() -> None:
    """A lone surrogate cannot be written as UTF-8; it becomes U+FFFD, and a split pair becomes its character."""
    line = protocol.encode(Load("1", "a\ud800b\ud83d\ude00"))
    assert protocol.decode_request(line) == Load("1", "a\ufffdb\U0001f600")


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b'"text"', b'{"type":"other"}', b"\xff\xfe", b"[" * 100_000, b'{"type":"load","id":"\\ud800"}'],
)
def test_a_line_that_is_no_request_is_refused(line: bytes) -> None:
    """Whatever comes, the answer is the one error that the worker knows, without an id."""
    with pytest.raises(MalformedRequest) as caught:
        protocol.decode_request(line)
    assert caught.value.id == ""
    assert caught.value.message.endswith(".")


def test_the_error_carries_the_id_and_the_whole_range() -> None:
    """A value out of range is named together with the request and with what would be legal."""
    line = b'{"type":"generate","id":"7","messages":[],"sampling":{"temperature":3}}'
    with pytest.raises(MalformedRequest) as caught:
        protocol.decode_request(line)
    assert (caught.value.id, caught.value.message) == ("7", "temperature is 3; it must be from 0 to 2.")


def test_events_come_back_as_their_own_kind() -> None:
    """The tag of an event tells its type."""
    for event in (protocol.Delta("1", "thinking", "…", 3), protocol.Memory(1, 2), protocol.Finished("1", "stop")):
        assert protocol.decode_event(protocol.encode(event)) == event
    with pytest.raises(msgspec.DecodeError):
        protocol.decode_event(b"print from a library")


def test_defaults_need_not_be_sent() -> None:
    """A request with messages alone gets the default sampling."""
    request = protocol.decode_request(b'{"type":"generate","id":"1","messages":[{"role":"user","content":"Hi"}]}')
    assert isinstance(request, Generate)
    assert request.sampling == Sampling()
