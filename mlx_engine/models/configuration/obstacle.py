"""Decides from config.json alone whether a network would compute what its reference computes."""

from collections.abc import Mapping, Set
from typing import Any

from mlx_engine.models.configuration import fields, rotation
from mlx_engine.models.configuration.normalize import text_section


def obstacle(config: Mapping[str, Any], network_names: Set[str]) -> str:
    """Return the reason, as a sentence, why Facet refuses a normalized configuration; "" if it does not.

    `network_names` are all names in the source of mlx-lm's network.
    """
    text = text_section(config) or config
    if reason := fields.namesake(config) or rotation.obstacle(text):
        return reason
    ignored = fields.ignored_fields(text, network_names)
    return fields.describe_ignored(ignored) if ignored else ""
