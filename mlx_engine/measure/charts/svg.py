"""Writes a scene as SVG: light, with words that stay words."""

from collections.abc import Iterator, Mapping
from html import escape

from mlx_engine.measure.charts.scene import Box, Disc, Ink, Item, Line, Scene, Words

LIGHT: Mapping[Ink, str] = {
    "background": "#ffffff",
    "text": "#1d1d1f",
    "secondary": "#66666b",
    "tertiary": "#8e8e93",
    "grid": "#e4e4e8",
    "accent": "#0071e3",
    "muted": "#a9a9b0",
    "warning": "#9a5b00",
}
"""Colours of the roles on white."""

_fonts = "-apple-system, 'SF Pro Text', Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"


def svg(scene: Scene, *, title: str = "", description: str = "") -> str:
    """Return `scene` as a file; `title` and `description` are read out by those who read pictures out."""
    size = f"{_number(scene.width)} {_number(scene.height)}"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{_number(scene.width)}" '
            f'height="{_number(scene.height)}" role="img" font-family="{_fonts}" '
            'style="font-variant-numeric: tabular-nums">',
            f"<title>{_words(title)}</title>",
            f"<desc>{_words(description)}</desc>",
            *map(_item, scene.items),
            *_tips(scene),
            "</svg>\n",
        )
    )


def _item(item: Item) -> str:
    match item:
        case Line(points=points, ink=ink, width=width, dash=dash):
            through = " ".join(f"{_number(point.x)},{_number(point.y)}" for point in points)
            dashes = f' stroke-dasharray="{_number(dash)}"' if dash else ""
            return (
                f'<polyline points="{through}" fill="none" stroke="{_colour(ink)}" stroke-width="{_number(width)}" '
                f'stroke-linejoin="round"{dashes}/>'
            )
        case Disc(middle=middle, radius=radius):
            return (
                f'<circle cx="{_number(middle.x)}" cy="{_number(middle.y)}" r="{_number(radius)}" '
                f'fill="{_colour(item.fill)}" stroke="{_colour(item.border)}" stroke-width="{_number(item.width)}"/>'
            )
        case Box(area=area, radius=radius):
            return (
                f'<rect x="{_number(area.left)}" y="{_number(area.top)}" width="{_number(area.width)}" '
                f'height="{_number(area.height)}" rx="{_number(radius)}" fill="{_colour(item.fill)}"/>'
            )
        case Words(at=at, anchor=anchor):
            weight = ' font-weight="600"' if item.bold else ""
            return (
                f'<text x="{_number(at.x)}" y="{_number(at.y)}" font-size="{_number(item.size)}" '
                f'fill="{_colour(item.ink)}" text-anchor="{anchor}"{weight}>{_words(item.text)}</text>'
            )


def _tips(scene: Scene) -> Iterator[str]:
    """Yield what a browser shows where the pointer rests."""
    for target in scene.targets:
        area = target.area
        yield (
            f'<rect x="{_number(area.left)}" y="{_number(area.top)}" width="{_number(area.width)}" '
            f'height="{_number(area.height)}" fill="transparent"><title>{_words(target.words)}</title></rect>'
        )


def _colour(ink: Ink) -> str:
    return ink if ink.startswith("#") else LIGHT[ink]


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _words(text: str) -> str:
    """Return `text` for XML, which knows no control characters."""
    return escape("".join(character for character in text if character.isprintable()))
