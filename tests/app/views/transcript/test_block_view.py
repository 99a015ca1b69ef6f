import pytest
from hypothesis import HealthCheck, given, settings
from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QWidget
from shiboken6 import delete

from app.views.kit.theme import Theme
from app.views.transcript.block_view import BlockView
from app.views.transcript.code_block import CodeBlock
from app.views.transcript.safe_text import sanitize
from app.views.transcript.services import TranscriptServices
from app.views.transcript.table import Table
from tests.app.views.transcript.scripts import chunked

WIDTH = 600


def shape(view: BlockView) -> list[tuple[str, str]]:
    """Return class and document of each part."""
    return [(type(text).__name__, text.toHtml()) for text in view.texts]


@given(chunks=chunked())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_chunking_gives_the_same_documents(services: TranscriptServices, page: QWidget, chunks: list[str]) -> None:
    """A streamed answer equals one from the database, down to formats and pixels."""
    streamed, whole = BlockView(services, services.markdown, page), BlockView(services, services.markdown, page)
    for chunk in chunks:
        streamed.append(chunk)
        streamed.height_for(WIDTH)
    whole.append("".join(chunks))
    services.finish()
    assert shape(streamed) == shape(whole)
    assert streamed.height_for(WIDTH) == whole.height_for(WIDTH)
    delete(streamed)
    delete(whole)


def test_only_the_last_block_is_rewritten(answer: BlockView) -> None:
    """While an answer streams, the blocks above do not change."""
    answer.append("# Title\n\nOne paragraph.\n\nAnother")
    (text,) = answer.texts
    changed: list[int] = []
    text.document().contentsChange.connect(lambda position, _removed, _added: changed.append(position))
    answer.append(" word")
    assert changed
    assert min(changed) >= text.toPlainText().index("\nAnother")


def test_a_long_text_is_laid_out_in_slices(services: TranscriptServices, answer: BlockView) -> None:
    """The first piece appears at once, and the rest follows completely."""
    answer.append("A paragraph of some length.\n\n" * 1000)
    immediate = len(answer.blocks)
    services.finish()
    assert 0 < immediate < 500
    assert len(answer.blocks) == 1000


def test_code_has_its_own_segment(answer: BlockView) -> None:
    """Prose continues after it."""
    answer.append("a\n\n```python\nb\n```\nc\n\n| d |\n|---|\n| e |\n")
    assert [type(text).__name__ for text in answer.texts] == ["Prose", "CodeText", "Prose", "Table"]


def test_images_are_links_and_never_fetched(answer: BlockView) -> None:
    """The document requests no resources and contains no image."""
    answer.append("![a cat](https://example.org/cat.png)")
    (text,) = answer.texts
    assert text.toPlainText() == "a cat (https://example.org/cat.png)"
    assert "<img" not in text.toHtml()
    assert text.loadResource(2, "https://example.org/cat.png") is None


@pytest.mark.parametrize("size", [80, 200])
def test_text_grows_with_the_theme(theme: Theme, answer: BlockView, size: int) -> None:
    """All segments follow the text size."""
    answer.append("a\n\n```\nb\n```\n\n| d |\n|---|\n| e |\n")
    before = answer.height_for(WIDTH)
    theme.set_text_size(size)
    answer.restyle()
    assert (answer.height_for(WIDTH) > before) == (size > 100)


def test_code_is_highlighted_in_the_theme(qtbot, theme: Theme, services: TranscriptServices, answer: BlockView) -> None:  # type: ignore[no-untyped-def]
    """Keywords have the keyword color in light and dark mode, also after an emoji."""
    answer.append("```python\nx = '🎉'; y = None if x else 1\n```")
    (code,) = answer.texts

    def colors() -> dict[str, str]:
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
        expected = theme.palette.code["keyword"].name()
        qtbot.waitUntil(lambda expected=expected: colors().get("if") == expected)


def test_the_copy_button_copies_the_original_code(qtbot, qapp, answer: BlockView) -> None:  # type: ignore[no-untyped-def]
    """Even where the screen shows broken lines or direction marks."""
    source = "x\u202e" + "y" * 3000
    answer.append(f"```\n{source}\n```")
    button = next(child for child in answer.findChildren(CodeBlock)[0].children() if hasattr(child, "click"))
    button.click()
    assert qapp.clipboard().text() == sanitize(source)


def test_wide_tables_scroll_sideways(answer: BlockView) -> None:
    """A wide table is as wide as the page, with wider content inside."""
    answer.append("|" + "some words|" * 20 + "\n|" + "-|" * 20 + "\n|" + "some words|" * 20 + "\n")
    answer.resize(WIDTH, answer.height_for(WIDTH))
    (table,) = answer.texts
    assert table.width() <= WIDTH
    assert table.document().size().width() > WIDTH


def test_line_ends_are_kept(services: TranscriptServices, answer: BlockView) -> None:
    """Models end lines on purpose, as in poems and addresses."""
    answer.append("Roses are red,\nViolets are blue.")
    services.finish()
    assert [text.toPlainText() for text in answer.texts] == ["Roses are red,\nViolets are blue."]


def test_the_label_of_a_footnote_is_raised(services: TranscriptServices, answer: BlockView) -> None:
    answer.append("True[^1].\n\n[^1]: Source")
    services.finish()
    (text,) = answer.texts
    assert text.toPlainText() == "True1.\n1 Source"
    cursor = text.textCursor()
    cursor.setPosition(5)
    assert cursor.charFormat().verticalAlignment() == QTextCharFormat.VerticalAlignment.AlignSuperScript


def test_a_table_that_is_a_little_too_wide_is_wrapped(services: TranscriptServices, answer: BlockView) -> None:
    """Only a much wider one, or one with long words, scrolls sideways."""
    words = "several short words that can wrap " * 2
    answer.append(f"| a | b |\n|---|---|\n| 1 | {words} |")
    services.finish()
    (table,) = answer.findChildren(Table)
    natural = table.natural_width(100_000)
    table.height_for(round(natural / 1.3))
    assert table.width_for(round(natural / 1.3)) == table.lineWrapColumnOrWidth()
    table.height_for(natural // 4)
    assert table.lineWrapColumnOrWidth() > natural // 4


def test_a_formula_in_a_cell_has_the_baseline_of_text(services: TranscriptServices, answer: BlockView) -> None:
    """The lines of both cells have the same ascent."""
    answer.append("| a | b |\n|---|---|\n| $x$ | x |")
    services.finish()
    (table,) = answer.findChildren(Table)
    table.height_for(WIDTH)
    grid = QTextCursor(table.document().findBlock(1)).currentTable()
    lines = [grid.cellAt(1, column).firstCursorPosition().block().layout().lineAt(0) for column in (0, 1)]
    assert round(lines[0].ascent()) == round(lines[1].ascent())


def test_the_parts_of_a_long_table_have_the_same_columns(services: TranscriptServices, answer: BlockView) -> None:
    """They follow each other without a gap, also after a change of the theme."""
    answer.append("| n | words |\n|---|---|\n" + "".join(f"| {n} | {'word ' * (n % 7)} |\n" for n in range(60)))
    services.finish()
    for width in (WIDTH, WIDTH // 3):
        answer.height_for(width)
        first, *others = answer.findChildren(Table)
        for table in others:
            assert table.width() == first.width()
            assert _columns(table) == _columns(first)
        tables = [first, *others]
        assert [table.y() + table.height() for table in tables[:-1]] == [table.y() for table in tables[1:]]


def _columns(table: Table) -> list[int]:
    """Return the left edges of the cells in the second row."""
    layout, grid = table.document().documentLayout(), QTextCursor(table.document().findBlock(1)).currentTable()
    blocks = [grid.cellAt(1, column).firstCursorPosition().block() for column in range(grid.columns())]
    return [round(layout.blockBoundingRect(block).left()) for block in blocks]
