"""Loading a corpus: files, zip files and the built-in corpus."""

import os
import zipfile
from pathlib import Path

import pytest

from mlx_engine.errors import BadCorpus
from mlx_engine.measure.corpus.corpus import builtin_corpus, read_corpus
from mlx_engine.measure.corpus.text_file import MAX_BYTES, read_text
from mlx_engine.measure.results.convention import SMALL_TOKENS


def test_a_text_file_is_one_text(tmp_path: Path) -> None:
    """Its kind is the file name."""
    (tmp_path / "diary.txt").write_text("It rained.")
    corpus = read_corpus(tmp_path / "diary.txt")
    assert [(text.kind, text.text) for text in corpus.texts] == [("diary", "It rained.")]


def test_each_line_of_a_jsonl_file_is_a_text_or_a_conversation(tmp_path: Path) -> None:
    """A line may name its kind; other fields are ignored."""
    (tmp_path / "user.jsonl").write_text(
        '{"text": "One.", "kind": "notes", "id": 7}\n\n{"messages": [{"role": "user", "content": "Hello"}]}\n'
    )
    corpus = read_corpus(tmp_path / "user.jsonl")
    assert corpus.kinds == ("notes", "user")
    assert corpus.texts[1].messages[0].content == "Hello"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", b"  \n", "is empty"),
        ("photo.txt", b"\xff\xd8\xff\xe0", "not UTF-8 text"),
        ("zeros.txt", b"a\0b", "not text: it contains zero bytes"),
        ("torn.jsonl", b'{"text": "a"}\n{"text"', "line 2"),
        ("numbers.jsonl", b'{"text": 5}', "line 1"),
        ("nothing.jsonl", b'{"other": "a"}', 'neither "text" nor "messages"'),
        ("silent.jsonl", b'{"messages": [{"role": "user", "content": " "}]}', 'neither "text" nor "messages"'),
        ("none.txt", b"", "is empty"),
        ("windows.txt", "It rained.".encode("utf-16"), "UTF-16 text. Save it as UTF-8"),
        ("half.txt", b"It rained \xed\xa0\x80.", "not UTF-8 text"),
        ("half.jsonl", rb'{"text": "It rained \ud800."}', "line 1"),
        ("deep.jsonl", b'{"text": "a"}\n' + b"[" * 1_000_000, "line 2"),
        ("deep.jsonl", b'{"other": ' + b"[" * 1_000_000, "line 1"),
        ("roles.jsonl", b'{"messages": [{"role": "tool", "content": "a"}]}', "line 1"),
        ("list.jsonl", b'["text"]', "line 1"),
    ],
)
def test_an_invalid_corpus_file_is_rejected(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    """The message names the problem and the line."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadCorpus, match=message):
        read_corpus(tmp_path / name)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """It is not mistaken for an empty file."""
    with pytest.raises(BadCorpus, match="Couldn't read"):
        read_corpus(tmp_path / "nowhere.txt")


def test_an_unreadable_file_is_reported(tmp_path: Path) -> None:
    """The message has the system's reason."""
    path = tmp_path / "diary.txt"
    path.write_text("It rained.")
    path.chmod(0)
    root = os.geteuid() == 0  # Root can read everything.
    if root:
        os.seteuid(65534)
    try:
        with pytest.raises(BadCorpus, match=r"Couldn't read .*diary\.txt: Permission denied"):
            read_corpus(path)
    finally:
        if root:
            os.seteuid(0)


def test_a_huge_file_is_cut(tmp_path: Path) -> None:
    """Only its start is read, even if it is a single line, and the last character is complete."""
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.write(b"A" + "é".encode() * 40_000_000)
        file.truncate(2**30)
    text = read_corpus(path).texts[0].text
    assert len(text) == 32_000_000
    assert set(text) == {"A", "é"}


def test_a_huge_jsonl_file_is_cut_at_a_line(tmp_path: Path) -> None:
    """The line that crosses the limit is left out."""
    path = tmp_path / "huge.jsonl"
    path.write_bytes(b'{"text": "One."}\n{"text": "' + b"x" * 70_000_000)
    assert [text.text for text in read_corpus(path).texts] == ["One."]
    path.write_bytes(b'{"text": "' + b"x" * 70_000_000)
    with pytest.raises(BadCorpus, match=r"first line of huge\.jsonl is longer"):
        read_corpus(path)


def test_a_byte_order_mark_is_not_text(tmp_path: Path) -> None:
    """Windows editors write one. Other Unicode line ends may occur inside a line."""
    path = tmp_path / "lines.jsonl"
    path.write_bytes('\ufeff{"text": "One.\u2028Two."}\r\n'.encode())
    assert [text.text for text in read_corpus(path).texts] == ["One.\u2028Two."]


def test_many_short_lines_are_read(tmp_path: Path) -> None:
    """The number of kinds is limited, not the number of lines."""
    path = tmp_path / "lines.jsonl"
    path.write_text('{"text": "One."}\n' * 100_000)
    assert len(read_corpus(path).texts) == 100_000
    path.write_text("".join(f'{{"text": "One.", "kind": "{number}"}}\n' for number in range(65)))
    with pytest.raises(BadCorpus, match="has 65 kinds of texts"):
        read_corpus(path)


def test_the_name_of_a_kind_fits_on_one_line(tmp_path: Path) -> None:
    """It is shown in tables, so line breaks and control characters are removed."""
    path = tmp_path / "lines.jsonl"
    path.write_text(
        '{"text": "One.", "kind": "two\\nlines \\u001b[31m"}\n' + f'{{"text": "Two.", "kind": "{"x" * 5000}"}}'
    )
    first, second = read_corpus(path).kinds
    assert first.startswith("two lines")
    assert first.isprintable()
    assert len(second) < 100


@pytest.mark.parametrize("is_linked", [False, True])
def test_only_regular_files_are_read(tmp_path: Path, is_linked: bool) -> None:
    """Reading a pipe could block and reading a device never end, also through a link."""
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    for path, kind in (
        (tmp_path / "folder.txt", "a folder"),
        (tmp_path / "pipe.txt", "a pipe or a device"),
        (Path("/dev/zero"), "a pipe or a device"),
    ):
        if is_linked:
            (tmp_path / "link.txt").unlink(missing_ok=True)
            (tmp_path / "link.txt").symlink_to(path)
        with pytest.raises(BadCorpus, match=kind):
            read_corpus(tmp_path / "link.txt" if is_linked else path)


def test_a_link_to_a_text_is_followed(tmp_path: Path) -> None:
    """A link to itself cannot be read."""
    (tmp_path / "diary.txt").write_text("It rained.")
    (tmp_path / "link.txt").symlink_to("diary.txt")
    (tmp_path / "round.txt").symlink_to("round.txt")
    assert read_corpus(tmp_path / "link.txt").texts[0].text == "It rained."
    with pytest.raises(BadCorpus, match="Couldn't read"):
        read_corpus(tmp_path / "round.txt")


def _zipped(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def test_a_text_in_a_zip_file_is_read(tmp_path: Path) -> None:
    """Nothing is extracted to the disk, so a malicious name cannot escape the folder."""
    path = _zipped(tmp_path / "all.zip", ("../../wiki.test.raw", b"One text. \n" * 3))
    assert read_text(path, member="../../wiki.test.raw") == "One text. \n" * 3
    assert list(tmp_path.iterdir()) == [path]


def test_an_unreadable_zip_file_is_reported(tmp_path: Path) -> None:
    """It is truncated, has a wrong checksum, is password-protected, or lacks the member."""
    path = _zipped(tmp_path / "all.zip", ("text.txt", b"abcdefgh" * 1000))
    whole = path.read_bytes()
    with pytest.raises(BadCorpus, match=r"does not contain 'other\.txt'\. It contains text\.txt\."):
        read_text(path, member="other.txt")
    locked = bytearray(whole)
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[whole.index(mark) + flags] |= 1
    spoiled = bytearray(whole)
    spoiled[45] ^= 0xFF
    for content in (whole[:-30], bytes(locked), bytes(spoiled), b"PK no zip"):
        path.write_bytes(content)
        with pytest.raises(BadCorpus, match="damaged or password-protected"):
            read_text(path, member="text.txt")


def test_a_huge_zip_directory_is_not_read(tmp_path: Path) -> None:
    """The directory alone could fill the memory."""
    path = _zipped(tmp_path / "all.zip", ("text.txt", b"One."))
    content = bytearray(path.read_bytes())
    at = content.rindex(b"PK\5\6") + 12
    content[at : at + 4] = (200_000_000).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(BadCorpus, match="lists too many files"):
        read_text(path, member="text.txt")


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """No more is unpacked than is read, whatever size the member claims."""
    size = 70_000_000
    path = _zipped(tmp_path / "bomb.zip", ("text.txt", b"0" * size))
    assert len(read_text(path, member="text.txt")) == MAX_BYTES
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (2**32 - 2).to_bytes(4, "little")))
    with pytest.raises(BadCorpus, match=r"claims to unpack to 4\.3 GB"):
        read_text(path, member="text.txt")


def test_parts_of_the_builtin_corpus_are_selected_by_kind() -> None:
    """An unknown part is reported with the available ones."""
    assert builtin_corpus(kinds=("prose",)).kinds == ("prose",)
    with pytest.raises(BadCorpus, match="prose"):
        builtin_corpus(kinds=("verse",))


def test_each_kind_of_the_builtin_corpus_fills_its_share_of_the_small_setting() -> None:
    """Eight bytes per token is more than any tokenizer reaches on these texts."""
    corpus = builtin_corpus()
    for kind in corpus.kinds:
        texts = (text for text in corpus.texts if text.kind == kind)
        written = "".join(text.text + "".join(message.content for message in text.messages) for text in texts)
        assert len(written.encode()) > SMALL_TOKENS / len(corpus.kinds) * 8, kind


def test_chat_templates_accept_the_builtin_conversations() -> None:
    """After an optional system message, user and assistant alternate, ending with the assistant."""
    for conversation in builtin_corpus(kinds=("dialogue",)).texts:
        roles = [message.role for message in conversation.messages]
        turns = roles[1:] if roles[0] == "system" else roles
        assert turns == ["user", "assistant"] * max(1, len(turns) // 2), conversation.name
