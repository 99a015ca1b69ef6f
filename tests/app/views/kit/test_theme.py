import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.views.kit.palette import DARK, LIGHT, Palette, with_accent
from app.views.kit.theme import Theme


def luminance(color: QColor) -> float:
    """Relative luminance as defined by WCAG 2.2."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (color.redF(), color.greenF(), color.blueF())
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: QColor, second: QColor) -> float:
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_text_is_legible_on_every_background(palette: Palette) -> None:
    """All text reaches the contrast of 4.5 that WCAG 2.2 requires (AA)."""
    backgrounds = (palette.window, palette.sidebar, palette.surface)
    for color in (palette.text, palette.secondary, palette.link, palette.danger, palette.warning):
        assert min(contrast(color, background) for background in backgrounds) >= 4.5
    assert contrast(palette.accent_text, palette.accent) >= 4.5
    assert all(contrast(color, palette.code_background) >= 4.5 for color in palette.code.values())


@pytest.mark.parametrize(("accent", "text"), [("#0a7aff", "#ffffff"), ("#ffd60a", "#1d1d1f")])
def test_text_is_legible_on_the_system_accent(accent: str, text: str) -> None:
    """The user chooses the accent; text on it is light or dark to match."""
    palette = with_accent(LIGHT, QColor(accent))
    assert (palette.accent.name(), palette.accent_text.name()) == (accent, text)


def test_text_size_scales_every_font(theme: Theme) -> None:
    """Twice the text size doubles all fonts."""
    roles = ("body", "label", "title", "heading", "small", "mono")
    normal = [theme.font(role).pixelSize() for role in roles]
    theme.set_text_size(200)
    assert [theme.font(role).pixelSize() for role in roles] == [2 * size for size in normal]


@pytest.mark.parametrize(("requested", "expected"), [(10, 80), (1000, 200)])
def test_text_size_stays_within_its_bounds(theme: Theme, requested: int, expected: int) -> None:
    """A size out of bounds becomes the nearest bound."""
    theme.set_text_size(requested)
    assert theme.text_size == expected


def test_appearance_switches_the_palette_with_one_signal(theme: Theme, qtbot: QtBot) -> None:
    """Dark gives the dark palette with one signal; setting it again gives none."""
    palettes: list[Palette] = []
    theme.changed.connect(lambda: palettes.append(theme.palette))
    theme.set_appearance("dark")
    theme.set_appearance("dark")
    assert theme.is_dark
    assert palettes == [DARK]


def test_digits_have_the_same_width(theme: Theme) -> None:
    """With tabular digits, ones are as wide as eights."""
    label = QLabel()
    label.setFont(theme.font("label", tabular=True))
    metrics = label.fontMetrics()
    assert metrics.horizontalAdvance("1111") == metrics.horizontalAdvance("8888")


def test_fonts_survive_being_moved_into_a_scroll_area(theme: Theme, qapp: QApplication, qtbot: QtBot) -> None:
    """Thin scroll bars do not make widgets lose their fonts, as a style sheet for all widgets does."""
    theme.install(qapp)
    area, inside = QScrollArea(), QWidget()
    qtbot.addWidget(area)
    label = QLabel("text", inside)
    label.setFont(theme.font("title"))
    theme.thin_scroll_bars(area)
    area.setWidget(inside)
    area.show()
    assert label.font().pixelSize() == theme.font("title").pixelSize()


def test_the_theme_changes_after_a_scroll_area_is_deleted(theme: Theme, qtbot: QtBot) -> None:
    """The theme does not keep the scroll bars of deleted messages."""
    area = QScrollArea()
    theme.thin_scroll_bars(area)
    area.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    with qtbot.captureExceptions() as exceptions:
        theme.set_appearance("dark")
    assert exceptions == []
