"""Networks to quantize in tests of the window: a real outline, and who answers it at once."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject

from mlx_engine.hub_messages import JobFailed
from mlx_engine.quantize.plan.messages import OutlineRead
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
    """Return a network like llama's; with `odd`, so long are the rows of its down-projections."""
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
"""Of a model on the Hub."""


class GivenReader(QObject):
    """Answers with what it was given, in the place of an `OutlineReader`; `hold` keeps the answer back."""

    def __init__(self, answer: Outline | JobFailed, *, hold: bool = False) -> None:
        super().__init__()
        self.answer, self._hold = answer, hold
        self.coming: dict[str, Path] = {}
        self._waiting: Callable[[OutlineRead | JobFailed], None] | None = None

    def read(self, _model: Path, answered: Callable[[OutlineRead | JobFailed], None]) -> None:
        self._waiting = answered
        if not self._hold:
            self.give()

    def read_repository(self, repository: str, answered: Callable[[OutlineRead | JobFailed], None]) -> None:
        """Answer with what `coming` says of a repository, whose headers are in a folder."""
        folder = self.coming[repository]

        def arrived(event: OutlineRead | JobFailed) -> None:
            if isinstance(event, OutlineRead):
                event = msgspec.structs.replace(
                    event, path=str(folder), commit="c0ffee", missing_bytes=TO_COME, least_bytes=AT_A_TIME
                )
            answered(event)

        self.read(folder, arrived)

    def give(self) -> None:
        if self._waiting:
            self._waiting(_read(self.answer) if isinstance(self.answer, Outline) else self.answer)

    def close(self) -> None:
        self._waiting = None
