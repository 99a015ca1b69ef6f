"""Panel with the parameters of the conversation: system prompt, thinking, sampling, context."""

from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.domain.settings import Field, fields
from app.viewmodels.chat.chat import ChatViewModel
from app.views.kit.buttons import TextButton
from app.views.kit.fields.form import FieldForm
from app.views.kit.theme import Theme
from mlx_engine.protocol import CacheBits
from mlx_engine.sampling import Sampling

_SYSTEM_PROMPT = Field(
    name="system_prompt",
    kind="text",
    default="",
    label="System prompt",
    sentence="Instructions for the model, before the first message.",
    multiline=True,
)
_THINK = Field(
    name="think",
    kind="switch",
    default=True,
    label="Think first",
    sentence="Lets reasoning models think before they answer.",
)
_CONTEXT = Field(
    name="context",
    kind="integer",
    default=None,
    label="Context",
    sentence="Context length in tokens. Shorter uses less memory. Default: the model's maximum.",
    minimum=256,
    maximum=2**20,
    optional=True,
)
_BITS: dict[str, CacheBits] = {"16-bit": 16, "8-bit": 8, "4-bit": 4}
_CACHE_BITS = Field(
    name="cache_bits",
    kind="choice",
    default="16-bit",
    label="KV cache",
    sentence="Fewer bits use less memory, but can reduce quality.",
    choices=tuple(_BITS),
)


class ParametersPanel(QWidget):
    """Shows and changes the parameters of the current conversation."""

    def __init__(self, chat: ChatViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parameters, self._theme = chat.parameters, theme
        self._heading = QLabel("Chat Parameters")
        self._form = FieldForm((_SYSTEM_PROMPT, _THINK, *fields(Sampling), _CONTEXT, _CACHE_BITS), theme)
        self._reset_button = TextButton(theme, "Reset to Defaults")
        self._lay_out()
        self._form.edited.connect(self._set)
        self._reset_button.clicked.connect(self._parameters.reset)
        for changed in (chat.opened, chat.parameters.changed, chat.model_changed):
            changed.connect(self._refresh)
        theme.changed.connect(self._apply_theme)
        self._apply_theme()
        self._refresh()

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
        for transparent in (scroll.viewport(), inside):
            transparent.setAutoFillBackground(False)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(scroll)

    def _refresh(self) -> None:
        parameters = self._parameters
        values: dict[str, Any] = {"system_prompt": parameters.system_prompt, "think": parameters.think}
        values |= {"context": parameters.context or None, "cache_bits": f"{parameters.cache_bits}-bit"}
        for name, value in (values | msgspec.structs.asdict(parameters.sampling)).items():
            self._form.set_value(name, value)
        self._form.set_note("cache_bits", parameters.cache_obstacle, is_enabled=not parameters.cache_obstacle)
        self._show_recommendations()

    def _show_recommendations(self) -> None:
        """Show next to each value what the model recommends."""
        recommended = self._parameters.recommended
        for name, value in msgspec.structs.asdict(self._parameters.sampling).items():
            if name not in recommended:
                remark = ""
            elif value == recommended[name]:
                remark = "Recommended by the model"
            else:
                remark = f"The model recommends {recommended[name]:g}"
            self._form.set_note(name, remark)

    def _set(self, name: str, value: Any) -> None:
        parameters = self._parameters
        match name:
            case "system_prompt":
                parameters.set(value, parameters.sampling, parameters.think)
            case "think":
                parameters.set(parameters.system_prompt, parameters.sampling, value)
            case "context":
                parameters.set_memory(context=value or 0)
            case "cache_bits":
                parameters.set_memory(cache_bits=_BITS[value])
            case _:
                sampling = msgspec.structs.replace(parameters.sampling, **{name: value})
                parameters.set(parameters.system_prompt, sampling, parameters.think)

    def _apply_theme(self) -> None:
        self.setMinimumWidth(self._theme.scaled(170) + 60)
        self._heading.setFont(self._theme.font("heading"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.sidebar)
