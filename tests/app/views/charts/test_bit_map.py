"""Tests of the bit map."""

from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from app.viewmodels.formatting.matrix import short_kind
from app.views.charts.bit_map import BitMap, describe_bits
from app.views.charts.bit_scale import bit_color
from app.views.kit.theme import Theme
from mlx_engine.models.description.bit_map import LayerBits

LAYERS = (
    LayerBits(None, {"model.embed_tokens": 8}),
    LayerBits(0, {"mlp.down_proj": 6, "self_attn.q_proj": 4}),
    LayerBits(1, {"mlp.down_proj": 4, "self_attn.q_proj": 4}),
)


def bit_map(theme: Theme, qtbot: QtBot) -> BitMap:
    widget = BitMap(theme)
    qtbot.addWidget(widget)
    widget.show_layers(LAYERS)
    widget.resize(300, widget.sizeHint().height())
    return widget


def test_each_matrix_has_the_color_of_its_bits(theme: Theme, qtbot: QtBot) -> None:
    """Tooltip and color agree."""
    widget = bit_map(theme, qtbot)
    picture = widget.grab().toImage()
    seen = {}
    for y in range(widget.height()):
        for x in range(0, widget.width(), 5):
            if tip := widget.tip_at(QPoint(x, y)):
                seen.setdefault(tip, set()).add(picture.pixelColor(x, y).name())
    assert len(seen) == 4
    for tip, colors in seen.items():
        assert bit_color(6 if tip.endswith(": 6 bits") else 4).name() in colors
        assert bit_color(4 if tip.endswith(": 6 bits") else 6).name() not in colors


def test_attention_comes_before_the_feed_forward_part(theme: Theme, qtbot: QtBot) -> None:
    """Columns follow the order of computation, not the alphabet."""
    widget = bit_map(theme, qtbot)
    y = next(y for y in range(widget.height()) if widget.tip_at(QPoint(299, y)))
    assert "down_proj" in widget.tip_at(QPoint(290, y))
    assert "q_proj" in widget.tip_at(QPoint(60, y))


def test_the_height_is_limited(theme: Theme, qtbot: QtBot) -> None:
    widget = bit_map(theme, qtbot)
    widget.show_layers([LayerBits(number, {"mlp.down_proj": 4}) for number in range(80)])
    assert widget.sizeHint().height() < 400


def test_the_map_is_told_describe_bits_too() -> None:
    """Screen readers announce the number of matrices."""
    assert describe_bits(LAYERS) == "3 matrices in 4 bits, 1 matrix in 6 bits, 1 matrix in 8 bits"
    assert short_kind("self_attn.q_proj") == "q"
