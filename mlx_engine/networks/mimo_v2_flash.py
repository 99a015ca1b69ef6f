"""MiMo-V2-Flash with windows of the right size.

WORKAROUND(mlx-lm 0.32.2): in its windows, a token sees `sliding_window_size` tokens, itself included. In the reference
it sees as many earlier ones. Source: transformers 5.23, `MiMoV2FlashConfig`.
"""

import dataclasses
from typing import Any

from mlx_lm.models import mimo_v2_flash

_mimo_v2_flash: Any = mimo_v2_flash


class Model(_mimo_v2_flash.Model):  # type: ignore[misc]
    """mlx-lm's network with windows of one token more."""

    def __init__(self, args: Any) -> None:
        super().__init__(dataclasses.replace(args, sliding_window_size=args.sliding_window_size + 1))
