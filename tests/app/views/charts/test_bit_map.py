"""The map of a model's bits."""

from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot

from app.viewmodels.formatting.matrix import short
from app.views.charts.bit_map import BitMap, in_words
from app.views.charts.bit_scale import colour_of
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


def test_each_matrix_has_the_colour_of_its_bits(theme: Theme, qtbot: QtBot) -> None:
    """Where the tool tip says six bits the picture has the colour of six, and so with four."""
    widget = bit_map(theme, qtbot)
    picture = widget.grab().toImage()
    seen = {}
    for y in range(widget.height()):
        for x in range(0, widget.width(), 5):
            if tip := widget.tip_at(QPoint(x, y)):
                seen.setdefault(tip, set()).add(picture.pixelColor(x, y).name())
    assert len(seen) == 4
    for tip, colours in seen.items():
        assert colour_of(6 if tip.endswith(": 6 bits") else 4).name() in colours
        assert colour_of(4 if tip.endswith(": 6 bits") else 6).name() not in colours


def test_attention_comes_before_the_feed_forward_part(theme: Theme, qtbot: QtBot) -> None:
    """Columns stand in the order in which a token meets the matrices, not in that of the alphabet."""
    widget = bit_map(theme, qtbot)
    y = next(y for y in range(widget.height()) if widget.tip_at(QPoint(299, y)))
    assert "down_proj" in widget.tip_at(QPoint(290, y))
    assert "q_proj" in widget.tip_at(QPoint(60, y))


def test_more_layers_take_a_bounded_height(theme: Theme, qtbot: QtBot) -> None:
    widget = bit_map(theme, qtbot)
    widget.show_layers([LayerBits(number, {"mlp.down_proj": 4}) for number in range(80)])
    assert widget.sizeHint().height() < 400


def test_the_map_is_told_in_words_too() -> None:
    """For those who do not see the colours."""
    assert in_words(LAYERS) == "3 matrices in 4 bits, 1 matrix in 6 bits, 1 matrix in 8 bits"
    assert short("self_attn.q_proj") == "q"
