import pytest
from hypothesis import given, settings

from app.views.transcript.blocks import Block, Parser
from app.views.transcript.markdown import Markdown
from app.views.transcript.pasted_text import Typed
from app.views.transcript.safe_text import harmless
from app.views.transcript.stream import LONGEST_RICH, BlockStream
from tests.app.views.transcript.scripts import chunked

PARSERS = (Markdown(), Typed())


def streamed(parser: Parser, chunks: list[str]) -> list[Block]:
    stream, blocks = BlockStream(parser), list[Block]()
    for chunk in chunks:
        change = stream.append(chunk)
        blocks[change.kept :] = change.blocks
    return blocks


@pytest.mark.parametrize("parser", PARSERS, ids=["markdown", "typed"])
@given(chunks=chunked())
@settings(max_examples=400, deadline=None)
def test_any_chunking_gives_the_same_blocks(parser: Parser, chunks: list[str]) -> None:
    """What has settled is what the whole text says."""
    whole = [block for top in parser.top_blocks(harmless("".join(chunks))) for block in top.blocks]
    assert streamed(parser, chunks) == whole


def test_settled_blocks_are_not_parsed_again() -> None:
    """The cost of a new word does not grow with the answer."""
    seen = []

    class Counting(Markdown):
        def top_blocks(self, text: str) -> list:  # type: ignore[type-arg]
            seen.append(len(text))
            return super().top_blocks(text)

    streamed(Counting(), ["A paragraph of text.\n\n"] * 200)
    assert max(seen) < 100


def test_what_is_beyond_the_bound_is_plain() -> None:
    """The rest of a very long message is there, in one block that costs nothing to lay out."""
    text = "A line of text.\n\n" * (LONGEST_RICH // 10)
    *rich, rest = streamed(Markdown(), [text])
    assert {block.kind for block in rich} == {"paragraph"}
    assert rest.kind == "plain"
    assert len(rest.text) + len(rich) * len("A line of text.\n\n") == len(text)
    assert streamed(Markdown(), [text[:1000], text[1000:150_000], text[150_000:]]) == [*rich, rest]
