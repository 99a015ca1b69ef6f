"""The main loop of a worker, run in the test's process."""

from pathlib import Path
from typing import Any

import pytest

from mlx_engine.engine.children import serving
from mlx_engine.engine.children.inbox import Inbox
from mlx_engine.engine.children.serving import serve
from mlx_engine.protocol import ChatMessage, Event, Finished, Generate, Load, Loaded, Memory, RequestFailed
from mlx_engine.sampling import Sampling


class Enough(BaseException):
    """Ends the endless loop."""


def test_an_unexpected_error_fails_only_its_request(tiny_models: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The failure names the error, the log has the traceback, and the next request is answered."""
    no_text: Any = 5
    inbox = Inbox()
    inbox.put(Load("load", str(tiny_models / "llama")))
    inbox.put(Generate(id="bad", messages=(ChatMessage("user", no_text),)))
    inbox.put(Generate(id="good", messages=(ChatMessage("user", "Hello"),), sampling=Sampling(max_tokens=5)))
    ends = []

    def send(event: Event) -> None:
        if isinstance(event, RequestFailed | Finished):
            ends.append(event)
        if isinstance(event, Finished):
            raise Enough

    with pytest.raises(Enough):
        serve(inbox, send)
    assert [(type(event), event.id) for event in ends] == [(RequestFailed, "bad"), (Finished, "good")]
    assert "AttributeError" in ends[0].message
    assert "Traceback" in caplog.text


def test_memory_is_reported_during_an_answer(tiny_models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that takes longer than the interval has several reports, which include the weights."""
    monkeypatch.setattr(serving, "_memory_interval_s", 0)
    inbox = Inbox()
    inbox.put(Load("load", str(tiny_models / "llama")))
    inbox.put(Generate(id="1", messages=(ChatMessage("user", "Hello"),), sampling=Sampling(max_tokens=5)))
    events = []

    def send(event: Event) -> None:
        events.append(event)
        if isinstance(event, Finished):
            raise Enough

    with pytest.raises(Enough):
        serve(inbox, send)
    while not isinstance(events.pop(0), Loaded):
        pass
    reports = [event.active_bytes for event in events if isinstance(event, Memory)]
    assert len(reports) > 2
    assert min(reports) > 600_000
