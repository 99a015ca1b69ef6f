"""What this conversation tells the model besides its messages: system prompt, thinking, sampling."""

from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.domain.settings import Field, fields
from app.viewmodels.chat.chat import ChatViewModel
from app.views.kit.buttons import TextButton
from app.views.kit.field_form import FieldForm
from app.views.kit.theme import Theme
from mlx_engine.protocol import CacheBits
from mlx_engine.sampling import Sampling

_SYSTEM_PROMPT = Field(
    name="system_prompt",
    kind="text",
    default="",
    label="System prompt",
    sentence="What the model is told before the first message.",
    multiline=True,
)
_THINK = Field(
    name="think",
    kind="switch",
    default=True,
    label="Think first",
    sentence="Models that can think do so before they answer.",
)
_CONTEXT = Field(
    name="context",
    kind="integer",
    default=None,
    label="Context",
    sentence="Room for all that is said, in tokens. A shorter one needs less memory; not set is the model's own.",
    minimum=256,
    maximum=2**20,
    optional=True,
)
_BITS: dict[str, CacheBits] = {"16 bits": 16, "8 bits": 8, "4 bits": 4}
_CACHE_BITS = Field(
    name="cache_bits",
    kind="choice",
    default="16 bits",
    label="Context kept in",
    sentence="Fewer bits need less memory, and may make answers worse.",
    choices=tuple(_BITS),
)


class ParametersPanel(QWidget):
    """Shows and sets the parameters of the conversation on the screen."""

    def __init__(self, chat: ChatViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._given, self._theme = chat.parameters, theme
        self._heading = QLabel("Chat Parameters")
        self._form = FieldForm((_SYSTEM_PROMPT, _THINK, *fields(Sampling), _CONTEXT, _CACHE_BITS), theme)
        self._reset_button = TextButton(theme, "Reset to defaults")
        self._lay_out()
        self._form.edited.connect(self._set)
        self._reset_button.clicked.connect(self._given.reset)
        for changed in (chat.opened, chat.parameters.changed, chat.model_changed):
            changed.connect(self._follow)
        theme.changed.connect(self._dress)
        self._dress()
        self._follow()

    def _lay_out(self) -> None:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(14, 10, 14, 14)
        column.addWidget(self._heading)
        column.addSpacing(8)
        column.addWidget(self._form)
        column.addWidget(self._reset_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        self._theme.thin_scroll_bars(scroll)
        for see_through in (scroll.viewport(), inside):
            see_through.setAutoFillBackground(False)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scroll)

    def _follow(self) -> None:
        given = self._given
        values: dict[str, Any] = {"system_prompt": given.system_prompt, "think": given.think}
        values |= {"context": given.context or None, "cache_bits": f"{given.cache_bits} bits"}
        for name, value in (values | msgspec.structs.asdict(given.sampling)).items():
            self._form.set_value(name, value)
        self._form.set_note("cache_bits", given.cache_obstacle, is_enabled=not given.cache_obstacle)
        self._tell_recommendation()

    def _tell_recommendation(self) -> None:
        """Say of each value whether it is the one that the model comes with."""
        recommended = self._given.recommended
        for name, value in msgspec.structs.asdict(self._given.sampling).items():
            if name not in recommended:
                remark = ""
            elif value == recommended[name]:
                remark = "Recommended by the model."
            else:
                remark = f"The model recommends {recommended[name]:g}."
            self._form.set_note(name, remark)

    def _set(self, name: str, value: Any) -> None:
        given = self._given
        match name:
            case "system_prompt":
                given.set(value, given.sampling, given.think)
            case "think":
                given.set(given.system_prompt, given.sampling, value)
            case "context":
                given.set_memory(context=value or 0)
            case "cache_bits":
                given.set_memory(cache_bits=_BITS[value])
            case _:
                sampling = msgspec.structs.replace(given.sampling, **{name: value})
                given.set(given.system_prompt, sampling, given.think)

    def _dress(self) -> None:
        self.setMinimumWidth(self._theme.scaled(170) + 60)
        self._heading.setFont(self._theme.font("heading"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.sidebar)
