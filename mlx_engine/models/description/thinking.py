"""Formats in which models mark their thinking, as data.

A format maps each marker to its effect. Most families put a pair of markers around the thinking; others write
channels, each with a header that names it. The formats are those of the chat templates of the families that mlx-lm
runs. Where no format is known, `<think>` before the first words of an answer is recognized.
"""

import enum
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass


class Effect(enum.Enum):
    """Effect of a marker on the text after it."""

    THINKING = "thinking"
    ANSWER = "answer"
    HIDDEN = "hidden"
    """The marker is removed, and the text continues."""
    HEADER = "header"
    """The text up to the next marker with `BODY` is a header."""
    BODY = "body"


@dataclass(frozen=True, slots=True)
class ThinkingFormat:
    """Markers with their effects.

    Chat templates of models with this format contain all texts of one of the `signs`. `channel` finds the channel's
    name in a header.
    """

    effects: Mapping[str, Effect]
    signs: tuple[tuple[str, ...], ...]
    channel: re.Pattern[str] | None = None
    thinking_channels: frozenset[str] = frozenset()

    def markers(self, *effects: Effect) -> tuple[str, ...]:
        return tuple(marker for marker, effect in self.effects.items() if effect in effects)

    def channel_effect(self, header: str) -> Effect:
        """Return the effect of a whole `header` on the text after it."""
        match = self.channel.search(header) if self.channel else None
        return Effect.THINKING if match and match[1] in self.thinking_channels else Effect.ANSWER

    def opens_thinking(self, text: str) -> bool:
        """Return True if `text`, the end of a prompt, leaves the model in its thinking."""
        if self.channel:
            header = max((text.rfind(marker) for marker in self.markers(Effect.HEADER)), default=-1)
            body = max((text.rfind(marker, header) for marker in self.markers(Effect.BODY)), default=-1)
            closed = max((text.rfind(marker) for marker in self.markers(Effect.ANSWER)), default=-1)
            return body > header > closed and self.channel_effect(text[header:]) is Effect.THINKING
        start, end = (
            max((text.rfind(marker) for marker in self.markers(effect)), default=-1)
            for effect in (Effect.THINKING, Effect.ANSWER)
        )
        return start > end


def _pair(start: str, end: str, *hidden: str, signs: tuple[tuple[str, ...], ...] = ()) -> ThinkingFormat:
    effects = {start: Effect.THINKING, end: Effect.ANSWER} | dict.fromkeys(hidden, Effect.HIDDEN)
    return ThinkingFormat(effects, signs or ((start,), (end,)))


DEFAULT = _pair("<think>", "</think>")
_FORMATS = (
    # gpt-oss: analysis and commentary, then final. A message ends where the header of the next one starts.
    ThinkingFormat(
        {
            "<|channel|>": Effect.HEADER,
            "<|start|>": Effect.HEADER,
            "<|end|>": Effect.HEADER,
            "<|message|>": Effect.BODY,
        },
        (("<|channel|>",),),
        re.compile(r"<\|channel\|>\s*(\w+)"),
        frozenset({"analysis", "commentary"}),
    ),
    # Gemma 4: the channel's name is a line.
    ThinkingFormat(
        {"<|channel>": Effect.HEADER, "\n": Effect.BODY, "<channel|>": Effect.ANSWER},
        (("<|channel>",), ("<channel|>",)),
        re.compile(r"<\|channel>\s*(\w+)"),
        frozenset({"thought"}),
    ),
    # Kimi K3: elements named think, response and others.
    ThinkingFormat(
        {"<|open|>": Effect.HEADER, "<|close|>": Effect.HEADER, "<|sep|>": Effect.BODY},
        (("<|open|>",),),
        re.compile(r"<\|open\|>\s*(\w+)"),
        frozenset({"think"}),
    ),
    _pair("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>", "<|END_RESPONSE|>"),  # Command A Reasoning
    _pair("[THINK]", "[/THINK]"),  # Magistral, Ministral
    _pair("<seed:think>", "</seed:think>"),  # Seed-OSS
    _pair("<longcat_think>", "</longcat_think>"),
    _pair("<|think:start|>", "<|think:end|>"),
    _pair("◁think▷", "◁/think▷"),  # Kimi-VL
    _pair("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
    _pair("<|begin_of_thought|>", "<|end_of_thought|>", "<|begin_of_solution|>", "<|end_of_solution|>"),
    _pair("<thought>", "</thought>"),  # EXAONE Deep
    _pair("<thinking>", "</thinking>"),
    _pair("<reasoning>", "</reasoning>"),
    _pair("<思考>", "</思考>"),
    _pair("Here is my thought process:", "Here is my response:"),  # Granite 3
    _pair("<think>", "</think>", "<answer>", "</answer>", signs=(("<answer>", "think>"),)),  # Hunyuan
    DEFAULT,
)

_BOOLEAN_SWITCHES = ("enable_thinking", "thinking", "think", "enable_reasoning", "reasoning")
_switch = re.compile(rf"\b(?:{'|'.join((*_BOOLEAN_SWITCHES, 'reasoning_effort', 'thinking_budget'))})\b(?!\s*=[^=])")
_opening = re.compile(r"\{[{%]")
_literal = re.compile(r"'[^']*'|\"[^\"]*\"|\.\s*\w+")
_no_effort = re.compile(r"""["']none["']""")


def find_format(template: str, added_tokens: Collection[str] = ()) -> ThinkingFormat:
    """Return the format of a model, by the markers in its chat template, or by its added tokens."""
    return _mentioned(template) or _among(added_tokens) or DEFAULT


def has_thinking(template: str) -> bool:
    """Return True if `template` has markers of thinking, or a switch for it."""
    return _mentioned(template) is not None or bool(switches(template, think=True))


def switches(template: str, *, think: bool) -> dict[str, bool | str | int]:
    """Return the variables of `template` that switch the thinking on or off, with their values.

    Thinking that cannot be switched off gets the lowest effort.
    """
    names = _variables(template)
    values: dict[str, bool | str | int] = {name: think for name in _BOOLEAN_SWITCHES if name in names}
    if "reasoning_effort" in names:
        if _no_effort.search(template):
            values["reasoning_effort"] = "high" if think else "none"
        elif not think:
            values["reasoning_effort"] = "low"
    if "thinking_budget" in names and not think:
        values["thinking_budget"] = 0
    return values


def _variables(template: str) -> set[str]:
    """Return the switches that the expressions of `template` read: not attributes, and not words in its texts."""
    return {match[0] for code in _expressions(template) for match in _switch.finditer(_literal.sub(" ", code))}


def _expressions(template: str) -> Iterator[str]:
    """Yield the code in a template of any kind, in time that grows with its length only."""
    closings, position = {"{{": "}}", "{%": "%}"}, 0
    while closings and (match := _opening.search(template, position)):
        position = match.end()
        closing = closings.get(match[0], "")
        end = template.find(closing, position) if closing else -1
        if end < 0:
            closings.pop(match[0], None)  # There is no further one.
        else:
            yield template[position:end]
            position = end + len(closing)


def _mentioned(template: str) -> ThinkingFormat | None:
    return next(
        (
            candidate
            for candidate in _FORMATS
            if any(all(text in template for text in sign) for sign in candidate.signs)
        ),
        None,
    )


def _among(added_tokens: Collection[str]) -> ThinkingFormat | None:
    tokens = set(added_tokens)
    return next(
        (
            candidate
            for candidate in _FORMATS
            if all(marker in tokens or marker == "\n" for marker in candidate.effects)
        ),
        None,
    )
