"""Choice among the named chat templates of a model."""

from collections.abc import Mapping

_FOR_CHAT = ("default", "chat", "instruct")
_FOR_OTHER_TASKS = ("tool_use", "rag")


def choose(templates: Mapping[str, str]) -> str:
    """Return the one of several named templates that is for chats; "" if there is none."""
    named = {name: template for name, template in templates.items() if template.strip()}
    others = [name for name in named if name not in _FOR_OTHER_TASKS] or list(named)
    return next((named[name] for name in (*_FOR_CHAT, *others) if name in named), "")
