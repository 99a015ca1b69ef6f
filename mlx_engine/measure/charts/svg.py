"""Writes a scene as SVG in light colors, with text as text."""

from collections.abc import Iterator, Mapping
from html import escape

from mlx_engine.measure.charts.scene import BoxItem, DiscItem, Ink, Item, LineItem, Scene, TextItem

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
"""Colors of the roles on white."""

_fonts = "-apple-system, 'SF Pro Text', Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"


def svg(scene: Scene, *, title: str = "", description: str = "") -> str:
    """Return `scene` as an SVG file; screen readers read `title` and `description`."""
    size = f"{_number(scene.width)} {_number(scene.height)}"
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{_number(scene.width)}" '
            f'height="{_number(scene.height)}" role="img" font-family="{_fonts}" '
            'style="font-variant-numeric: tabular-nums">',
            f"<title>{_xml(title)}</title>",
            f"<desc>{_xml(description)}</desc>",
            *map(_item, scene.items),
            *_tips(scene),
            "</svg>\n",
        )
    )


def _item(item: Item) -> str:
    match item:
        case LineItem(points=points, ink=ink, width=width, dash=dash):
            through = " ".join(f"{_number(point.x)},{_number(point.y)}" for point in points)
            dashes = f' stroke-dasharray="{_number(dash)}"' if dash else ""
            return (
                f'<polyline points="{through}" fill="none" stroke="{_color(ink)}" stroke-width="{_number(width)}" '
                f'stroke-linejoin="round"{dashes}/>'
            )
        case DiscItem(middle=middle, radius=radius):
            return (
                f'<circle cx="{_number(middle.x)}" cy="{_number(middle.y)}" r="{_number(radius)}" '
                f'fill="{_color(item.fill)}" stroke="{_color(item.border)}" stroke-width="{_number(item.width)}"/>'
            )
        case BoxItem(area=area, radius=radius):
            return (
                f'<rect x="{_number(area.left)}" y="{_number(area.top)}" width="{_number(area.width)}" '
                f'height="{_number(area.height)}" rx="{_number(radius)}" fill="{_color(item.fill)}"/>'
            )
        case TextItem(at=at, anchor=anchor):
            weight = ' font-weight="600"' if item.bold else ""
            return (
                f'<text x="{_number(at.x)}" y="{_number(at.y)}" font-size="{_number(item.size)}" '
                f'fill="{_color(item.ink)}" text-anchor="{anchor}"{weight}>{_xml(item.text)}</text>'
            )


def _tips(scene: Scene) -> Iterator[str]:
    """Yield the tooltips of a browser."""
    for target in scene.targets:
        area = target.area
        yield (
            f'<rect x="{_number(area.left)}" y="{_number(area.top)}" width="{_number(area.width)}" '
            f'height="{_number(area.height)}" fill="transparent"><title>{_xml(target.text)}</title></rect>'
        )


def _color(ink: Ink) -> str:
    return ink if ink.startswith("#") else LIGHT[ink]


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _xml(text: str) -> str:
    """Return `text` escaped for XML, without control characters, which XML forbids."""
    return escape("".join(character for character in text if character.isprintable()))
