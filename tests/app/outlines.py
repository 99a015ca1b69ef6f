"""Outlines of networks for tests of the window, and a fake that replies with them."""

from pathlib import Path

import msgspec
from PySide6.QtCore import QObject

from app.viewmodels.bridges.questions import OnReply
from mlx_engine.protocol import RequestFailed
from mlx_engine.quantize.plan.messages import OutlineRead, ReadOutline
from mlx_engine.quantize.plan.outline import Outline, Parameter

HIDDEN, WIDE, VOCABULARY = 128, 256, 512
_matrices = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (64, HIDDEN),
    "self_attn.v_proj": (64, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (WIDE, HIDDEN),
    "mlp.up_proj": (WIDE, HIDDEN),
    "mlp.down_proj": (HIDDEN, WIDE),
}


def outline(layers: int = 8, *, odd: int = 0, quantization: str = "") -> Outline:
    """Return a Llama network; `odd` sets another row length for its down-projections."""
    parameters = [_parameter("model.embed_tokens.weight", (VOCABULARY, HIDDEN))]
    for layer in range(layers):
        for name, (rows, row) in _matrices.items():
            length = odd if odd and name == "mlp.down_proj" else row
            parameters.append(_parameter(f"model.layers.{layer}.{name}.weight", (rows, length)))
        parameters.append(_parameter(f"model.layers.{layer}.input_layernorm.weight", (HIDDEN,)))
    parameters.append(_parameter("lm_head.weight", (VOCABULARY, HIDDEN)))
    return Outline(
        architecture="llama",
        layers=layers,
        dtype="bfloat16",
        parameters=tuple(parameters),
        quantization=quantization,
    )


def _parameter(name: str, shape: tuple[int, ...]) -> Parameter:
    return Parameter(name=name, shape=shape, dtype="BF16", can_be_quantized=len(shape) > 1)


def _read(outline: Outline) -> OutlineRead:
    notes = (f"The source is quantized already ({outline.quantization}).",) if outline.quantization else ()
    return OutlineRead("", outline, notes)


TO_COME, AT_A_TIME = 16_000_000_000, 5_000_000_000
"""Missing bytes, and bytes needed at a time, of a model on the Hub."""


class OutlineAnswers(QObject):
    """Fake of `Questions`; replies with an outline or a failure, with `hold` only when `answer_now` is called.

    `headers` are folders with the headers of repositories on the Hub.
    """

    def __init__(self, answer: Outline | RequestFailed, *, hold: bool = False) -> None:
        super().__init__()
        self.answer, self._hold = answer, hold
        self.headers: dict[str, Path] = {}
        self._open: tuple[ReadOutline, OnReply] | None = None

    def ask(self, request: ReadOutline, on_reply: OnReply, *, latest_only: bool) -> None:
        self._open = request, on_reply
        if not self._hold:
            self.answer_now()

    def answer_now(self) -> None:
        if self._open is None:
            return
        request, on_reply = self._open
        reply = _read(self.answer) if isinstance(self.answer, Outline) else self.answer
        if isinstance(reply, OutlineRead) and request.repository:
            folder = str(self.headers[request.repository])
            reply = msgspec.structs.replace(
                reply, path=folder, commit="c0ffee", missing_bytes=TO_COME, least_bytes=AT_A_TIME
            )
        on_reply(reply)

    def close(self) -> None:
        self._open = None
