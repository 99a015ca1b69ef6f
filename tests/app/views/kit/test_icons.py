import pytest
from PySide6.QtGui import QColor

from app.views.kit import icons
from app.views.kit.theme import Theme


@pytest.mark.parametrize("name", sorted(icons.NAMES))
def test_every_icon_is_drawn_in_the_requested_color(name: str, theme: Theme) -> None:
    """Without SF Symbols, every name has a drawing in one color."""
    image = icons.pixmap(name, side=32, scale=1, color=QColor("red")).toImage()
    drawn = [image.pixelColor(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() == 255]
    assert drawn
    assert {color.name() for color in drawn} == {"#ff0000"}
