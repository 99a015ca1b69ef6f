import pytest
from hypothesis import HealthCheck, given, settings
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from app.views.kit.theme import Theme
from app.views.transcript.code_block import CodeBlock
from app.views.transcript.kit import Kit
from app.views.transcript.safe_text import harmless
from app.views.transcript.segments import Segments
from tests.app.views.transcript.scripts import chunked

WIDTH = 600


def shape(segments: Segments) -> list[tuple[str, str]]:
    """Return the class and the document of each part."""
    return [(type(text).__name__, text.toHtml()) for text in segments.texts]


@given(chunks=chunked())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_chunking_gives_the_same_documents(kit: Kit, page: QWidget, chunks: list[str]) -> None:
    """A streamed answer looks like one that was read from the database, to the last format and pixel."""
    streamed, whole = Segments(kit, kit.markdown, page), Segments(kit, kit.markdown, page)
    for chunk in chunks:
        streamed.append(chunk)
        streamed.height_for(WIDTH)
    whole.append("".join(chunks))
    kit.finish()
    assert shape(streamed) == shape(whole)
    assert streamed.height_for(WIDTH) == whole.height_for(WIDTH)
    delete(streamed)
    delete(whole)


def test_only_the_last_block_is_written_again(answer: Segments) -> None:
    """While an answer streams, what stands above is left alone."""
    answer.append("# Title\n\nOne paragraph.\n\nAnother")
    (text,) = answer.texts
    changed: list[int] = []
    text.document().contentsChange.connect(lambda position, _removed, _added: changed.append(position))
    answer.append(" word")
    assert changed
    assert min(changed) >= text.toPlainText().index("\nAnother")


def test_a_long_text_is_laid_out_in_slices(kit: Kit, answer: Segments) -> None:
    """The first piece is there at once, and the rest follows whole."""
    answer.append("A paragraph of some length.\n\n" * 1000)
    at_once = len(answer.blocks)
    kit.finish()
    assert 0 < at_once < 500
    assert len(answer.blocks) == 1000


def test_code_is_a_segment_of_its_own(answer: Segments) -> None:
    """Prose flows on after it."""
    answer.append("a\n\n```python\nb\n```\nc\n\n| d |\n|---|\n| e |\n")
    assert [type(text).__name__ for text in answer.texts] == ["Prose", "Code", "Prose", "Table"]


def test_images_are_links_and_never_fetched(answer: Segments) -> None:
    """The document asks for no resource, and has no image in it."""
    answer.append("![a cat](https://example.org/cat.png)")
    (text,) = answer.texts
    assert text.toPlainText() == "a cat (https://example.org/cat.png)"
    assert "<img" not in text.toHtml()
    assert text.loadResource(2, "https://example.org/cat.png") is None


@pytest.mark.parametrize("size", [80, 200])
def test_text_grows_with_the_theme(theme: Theme, answer: Segments, size: int) -> None:
    """All segments take the new size."""
    answer.append("a\n\n```\nb\n```\n\n| d |\n|---|\n| e |\n")
    before = answer.height_for(WIDTH)
    theme.set_text_size(size)
    answer.restyle()
    assert (answer.height_for(WIDTH) > before) == (size > 100)


def test_code_is_coloured_in_the_theme(qtbot, theme: Theme, kit: Kit, answer: Segments) -> None:  # type: ignore[no-untyped-def]
    """Keywords have the keyword's colour, in light and in dark, also behind an emoji."""
    answer.append("```python\nx = '🎉'; y = None if x else 1\n```")
    (code,) = answer.texts

    def colours() -> dict[str, str]:
        line = code.document().firstBlock()
        text = line.text().encode("utf-16-le")
        return {
            text[2 * run.start : 2 * (run.start + run.length)].decode("utf-16-le"): run.format.foreground()
            .color()
            .name()
            for run in line.layout().formats()
        }

    for appearance in ("light", "dark"):
        theme.set_appearance(appearance)  # type: ignore[arg-type]
        answer.restyle()
        wanted = theme.palette.code["keyword"].name()
        qtbot.waitUntil(lambda wanted=wanted: colours().get("if") == wanted)


def test_the_copy_button_takes_the_code_as_it_was(qtbot, qapp, answer: Segments) -> None:  # type: ignore[no-untyped-def]
    """Also where the screen shows it broken or marked."""
    source = "x\u202e" + "y" * 3000
    answer.append(f"```\n{source}\n```")
    button = next(child for child in answer.findChildren(CodeBlock)[0].children() if hasattr(child, "click"))
    button.click()
    assert qapp.clipboard().text() == harmless(source)


def test_wide_tables_scroll_in_themselves(answer: Segments) -> None:
    """A table of many columns is no wider than the page, and reaches further inside."""
    answer.append("|" + "some words|" * 20 + "\n|" + "-|" * 20 + "\n|" + "some words|" * 20 + "\n")
    answer.resize(WIDTH, answer.height_for(WIDTH))
    (table,) = answer.texts
    assert table.width() <= WIDTH
    assert table.document().size().width() > WIDTH
