"""Behaviour of reading texts to measure on."""

from pathlib import Path

import pytest

from mlx_engine.errors import BadCorpus
from mlx_engine.measure.convention import SMALL_TOKENS
from mlx_engine.measure.corpus import own_corpus, read_corpus


def test_a_text_file_is_one_text(tmp_path: Path) -> None:
    """It is called as the file is."""
    (tmp_path / "diary.txt").write_text("It rained.")
    corpus = read_corpus(tmp_path / "diary.txt")
    assert [(text.kind, text.text) for text in corpus.texts] == [("diary", "It rained.")]


def test_each_line_of_a_jsonl_file_is_a_text_or_a_conversation(tmp_path: Path) -> None:
    """A line may say of which kind it is; other fields do not disturb."""
    (tmp_path / "own.jsonl").write_text(
        '{"text": "One.", "kind": "notes", "id": 7}\n\n{"messages": [{"role": "user", "content": "Hello"}]}\n'
    )
    corpus = read_corpus(tmp_path / "own.jsonl")
    assert corpus.kinds == ("notes", "own")
    assert corpus.texts[1].messages[0].content == "Hello"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.txt", b"  \n", "is empty"),
        ("photo.txt", b"\xff\xd8\xff\xe0", "no text in UTF-8"),
        ("zeros.txt", b"a\0b", "no text"),
        ("torn.jsonl", b'{"text": "a"}\n{"text"', "line 2"),
        ("numbers.jsonl", b'{"text": 5}', "line 1"),
        ("nothing.jsonl", b'{"other": "a"}', 'neither "text" nor "messages"'),
    ],
)
def test_a_file_that_is_no_corpus_is_refused(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """The sentence names what is wrong, and where."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadCorpus, match=words):
        read_corpus(tmp_path / name)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """It is not mistaken for an empty one."""
    with pytest.raises(BadCorpus, match="cannot be read"):
        read_corpus(tmp_path / "nowhere.txt")


def test_of_a_huge_file_the_beginning_is_read(tmp_path: Path) -> None:
    """A gigabyte is no reason to fail, and its last line is not torn."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.write(b"A line of text.\n")
        file.write(b"x" * 70_000_000)
        file.truncate(2**30)
    assert read_corpus(path).texts[0].text == "A line of text.\n"


def test_parts_of_the_own_corpus_are_chosen_by_kind() -> None:
    """A part that it has not is told, with those that it has."""
    assert own_corpus(kinds=("prose",)).kinds == ("prose",)
    with pytest.raises(BadCorpus, match="prose"):
        own_corpus(kinds=("verse",))


def test_every_kind_of_the_own_corpus_fills_its_share_of_the_small_setting() -> None:
    """Eight bytes a token is more than vocabularies reach on any of them."""
    corpus = own_corpus()
    for kind in corpus.kinds:
        texts = (text for text in corpus.texts if text.kind == kind)
        written = "".join(text.text + "".join(message.content for message in text.messages) for text in texts)
        assert len(written.encode()) > SMALL_TOKENS / len(corpus.kinds) * 8, kind


def test_templates_accept_the_conversations_of_the_own_corpus() -> None:
    """After a system message, if any, the roles take turns, and the assistant has the last word."""
    for conversation in own_corpus(kinds=("dialogue",)).texts:
        roles = [message.role for message in conversation.messages]
        turns = roles[1:] if roles[0] == "system" else roles
        assert turns == ["user", "assistant"] * max(1, len(turns) // 2), conversation.name
