"""Behaviour of reading texts to measure on."""

import os
import zipfile
from pathlib import Path

import pytest

from mlx_engine.errors import BadCorpus
from mlx_engine.measure.corpus.corpus import own_corpus, read_corpus
from mlx_engine.measure.corpus.text_file import MOST_BYTES, read_text
from mlx_engine.measure.results.convention import SMALL_TOKENS


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
        ("silent.jsonl", b'{"messages": [{"role": "user", "content": " "}]}', 'neither "text" nor "messages"'),
        ("none.txt", b"", "is empty"),
        ("windows.txt", "It rained.".encode("utf-16"), "in UTF-16. Save it in UTF-8"),
        ("half.txt", b"It rained \xed\xa0\x80.", "no text in UTF-8"),
        ("half.jsonl", rb'{"text": "It rained \ud800."}', "line 1"),
        ("deep.jsonl", b'{"text": "a"}\n' + b"[" * 1_000_000, "line 2"),
        ("deep.jsonl", b'{"other": ' + b"[" * 1_000_000, "line 1"),
        ("roles.jsonl", b'{"messages": [{"role": "tool", "content": "a"}]}', "line 1"),
        ("list.jsonl", b'["text"]', "line 1"),
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


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """With the reason of the system."""
    path = tmp_path / "diary.txt"
    path.write_text("It rained.")
    path.chmod(0)
    root = os.geteuid() == 0  # Root may read all.
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(BadCorpus, match="cannot be read: Permission denied"):
            read_corpus(path)
    finally:
        if root:
            os.seteuid(0)


def test_of_a_huge_file_the_beginning_is_read(tmp_path: Path) -> None:
    """A gigabyte is no reason to fail, be it one line, and no character is torn at the end."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.write(b"A" + "é".encode() * 40_000_000)
        file.truncate(2**30)
    text = read_corpus(path).texts[0].text
    assert len(text) == 32_000_000
    assert set(text) == {"A", "é"}


def test_of_a_huge_file_of_lines_whole_lines_are_read(tmp_path: Path) -> None:
    """The one in which the limit falls is left out."""
    path = tmp_path / "huge.jsonl"
    path.write_bytes(b'{"text": "One."}\n{"text": "' + b"x" * 70_000_000)
    assert [text.text for text in read_corpus(path).texts] == ["One."]
    path.write_bytes(b'{"text": "' + b"x" * 70_000_000)
    with pytest.raises(BadCorpus, match=r"first line of huge\.jsonl is longer"):
        read_corpus(path)


def test_marks_at_the_beginning_are_no_text(tmp_path: Path) -> None:
    """Editors of Windows write one; and a line may hold the other ends of lines that Unicode knows."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes('\ufeff{"text": "One.\u2028Two."}\r\n'.encode())
    assert [text.text for text in read_corpus(path).texts] == ["One.\u2028Two."]


def test_many_short_lines_are_read(tmp_path: Path) -> None:
    """As long as their kinds can be told apart by a person."""
    path = tmp_path / "lines.jsonl"
    path.write_text('{"text": "One."}\n' * 100_000)
    assert len(read_corpus(path).texts) == 100_000
    path.write_text("".join(f'{{"text": "One.", "kind": "{number}"}}\n' for number in range(65)))
    with pytest.raises(BadCorpus, match="has 65 kinds of texts"):
        read_corpus(path)


def test_what_a_kind_is_called_fits_into_a_line(tmp_path: Path) -> None:
    """It stands in tables, whoever has written it."""
    path = tmp_path / "lines.jsonl"
    path.write_text(
        '{"text": "One.", "kind": "two\\nlines \\u001b[31m"}\n' + f'{{"text": "Two.", "kind": "{"x" * 5000}"}}'
    )
    first, second = read_corpus(path).kinds
    assert first.startswith("two lines")
    assert first.isprintable()
    assert len(second) < 100


@pytest.mark.parametrize("is_linked", [False, True])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, is_linked: bool) -> None:
    """A pipe into which nobody writes would never end, a device never stop; behind a link likewise."""
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    for path, words in (
        (tmp_path / "folder.txt", "a folder"),
        (tmp_path / "pipe.txt", "a pipe or a device"),
        (Path("/dev/zero"), "a pipe or a device"),
    ):
        if is_linked:
            (tmp_path / "link.txt").unlink(missing_ok=True)
            (tmp_path / "link.txt").symlink_to(path)
        with pytest.raises(BadCorpus, match=words):
            read_corpus(tmp_path / "link.txt" if is_linked else path)


def test_a_link_to_a_text_is_followed(tmp_path: Path) -> None:
    """One that leads to itself cannot be read."""
    (tmp_path / "diary.txt").write_text("It rained.")
    (tmp_path / "link.txt").symlink_to("diary.txt")
    (tmp_path / "round.txt").symlink_to("round.txt")
    assert read_corpus(tmp_path / "link.txt").texts[0].text == "It rained."
    with pytest.raises(BadCorpus, match="cannot be read"):
        read_corpus(tmp_path / "round.txt")


def _zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_a_text_in_a_zip_file_is_read(tmp_path: Path) -> None:
    """Nothing is unpacked, so that no name leads out of a folder."""
    path = _zipped(tmp_path / "all.zip", ("../../wiki.test.raw", b"One text. \n" * 3))
    assert read_text(path, member="../../wiki.test.raw") == "One text. \n" * 3
    assert list(tmp_path.iterdir()) == [path]


def test_a_zip_file_that_is_none_is_told(tmp_path: Path) -> None:
    """Torn, with another checksum, with a password, or without the text that is wanted."""
    path = _zipped(tmp_path / "all.zip", ("text.txt", b"abcdefgh" * 1000))
    whole = path.read_bytes()
    with pytest.raises(BadCorpus, match=r"has no 'other\.txt' in it\. It has text\.txt\."):
        read_text(path, member="other.txt")
    locked = bytearray(whole)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[whole.index(mark) + flags] |= 1
    spoiled = bytearray(whole)
    spoiled[45] ^= 0xFF
    for content in (whole[:-30], bytes(locked), bytes(spoiled), b"PK no zip"):
        path.write_bytes(content)
        with pytest.raises(BadCorpus, match="damaged or locked"):
            read_text(path, member="text.txt")


def test_a_zip_file_of_countless_files_is_not_listed(tmp_path: Path) -> None:
    """Its list alone could fill the memory."""
    path = _zipped(tmp_path / "all.zip", ("text.txt", b"One."))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\5\6") + 12
    content[at : at + 4] = (200_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(BadCorpus, match="lists more files"):
        read_text(path, member="text.txt")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """One that says how large it is; and of one that lies, no more is unpacked than is read."""
    size = 70_000_000
    path = _zipped(tmp_path / "bomb.zip", ("text.txt", b"0" * size))
    assert len(read_text(path, member="text.txt")) == MOST_BYTES
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (2**32 - 2).to_bytes(4, "little")))
    with pytest.raises(BadCorpus, match=r"claims to have 4\.3 GB"):
        read_text(path, member="text.txt")


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
