"""Decides from config.json alone whether a network would compute what its reference computes."""

from collections.abc import Mapping
from typing import Any

from mlx_engine.models.configuration import rotation
from mlx_engine.models.configuration.normalize import text_section


def obstacle(config: Mapping[str, Any]) -> str:
    """Return the reason, as a sentence, why Facet refuses a normalized configuration; "" if it does not."""
    return rotation.obstacle(text_section(config) or config)
