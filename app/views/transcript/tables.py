r"""Markdown rule for tables that loses no cell. Imports no Qt.

As in GitHub's Markdown, but a pipe inside a formula or code does not separate cells, `\|` in a formula stays a norm,
and the cells that a row has too many are joined in its last column.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock

from app.views.transcript.dollars import end_of_formula

_DELIMITER = re.compile(r"[ \t]*(:?)-+(:?)[ \t]*")
_BACKTICKS = re.compile(r"`+")
_ALIGNMENTS = {("", ""): "", (":", ""): "left", ("", ":"): "right", (":", ":"): "center"}


def add_tables(markdown: MarkdownIt) -> None:
    """Replace the rule of markdown-it."""
    markdown.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})


def split_cells(line: str, columns: int = 0) -> list[str]:
    """Return the cells of a row; of `columns`, if there are any ways to read it so."""
    cells = _cells(_inside(line), protects=True)
    if columns and len(cells) != columns and len(plain := _plain_cells(line)) == columns:
        cells = plain
    if columns and len(cells) > columns:
        cells[columns - 1 :] = [" | ".join(cells[columns - 1 :])]
    return cells


def _plain_cells(line: str) -> list[str]:
    return _cells(_inside(line), protects=False)


def _inside(line: str) -> str:
    """Return a row without the pipes around it."""
    line = line.strip().removeprefix("|")
    return line[:-1] if line.endswith("|") and not line.endswith("\\|") else line


def _cells(line: str, *, protects: bool) -> list[str]:
    cells, start, position = [""], 0, 0
    while position < len(line):
        end = _end_of_span(line, position) if protects else position
        if end > position:
            cells[-1] += line[start:position] + _unescaped(line[position:end])
            start = position = end
        elif line.startswith("\\|", position):
            cells[-1] += f"{line[start:position]}|"
            start = position = position + 2
        elif line[position] == "|":
            cells[-1] += line[start:position]
            cells.append("")
            start = position = position + 1
        else:
            position += 2 if line[position] == "\\" else 1
    cells[-1] += line[start:]
    return [cell.strip() for cell in cells]


def _end_of_span(line: str, position: int) -> int:
    """Return the end of the code or formula that starts at `position`, or `position` if none does."""
    if match := _BACKTICKS.match(line, position):
        closing = re.compile(rf"(?<!`){match[0]}(?!`)").search(line, match.end())
        return closing.end() if closing else match.end()
    return end_of_formula(line, position, len(line))


def _unescaped(span: str) -> str:
    return span.replace("\\|", "|") if span.startswith("`") else span


def _table(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    if first + 2 > last or state.is_code_block(first):
        return False
    alignments = _alignments(_row(state, first + 1, last))
    header = _row(state, first, last)
    if not alignments or "|" not in header + _row(state, first + 1, last):
        return False
    cells = split_cells(header, len(alignments))
    if len(split_cells(header)) != len(alignments) and len(_plain_cells(header)) != len(alignments):
        return False
    if silent:
        return True
    table = state.push("table_open", "table", 1)
    _push_row(state, cells, alignments, tag="th")
    number = first + 2
    while _is_row(state, number, last):
        _push_row(state, split_cells(_row(state, number, last), len(alignments)), alignments, tag="td")
        number += 1
    state.push("table_close", "table", -1)
    table.map = [first, number]
    state.line = number
    return True


def _is_row(state: StateBlock, number: int, last: int) -> bool:
    if number >= last or state.isEmpty(number) or state.sCount[number] < state.blkIndent or state.is_code_block(number):
        return False
    return not any(rule(state, number, last, True) for rule in state.md.block.ruler.getRules("blockquote"))


def _row(state: StateBlock, number: int, last: int) -> str:
    if number >= last or state.sCount[number] < state.blkIndent or state.is_code_block(number):
        return ""
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _alignments(delimiter_row: str) -> list[str]:
    """Return the alignment of each column; none if it is not the row below a header."""
    row = delimiter_row.strip().removeprefix("|").removesuffix("|")
    matches = [_DELIMITER.fullmatch(cell) for cell in row.split("|")]
    return [_ALIGNMENTS[match[1], match[2]] for match in matches if match] if all(matches) else []


def _push_row(state: StateBlock, cells: list[str], alignments: list[str], *, tag: str) -> None:
    state.push("tr_open", "tr", 1)
    for number, alignment in enumerate(alignments):
        opening = state.push(f"{tag}_open", tag, 1)
        if alignment:
            opening.attrs = {"style": f"text-align:{alignment}"}
        inline = state.push("inline", "", 0)
        inline.content, inline.children = cells[number] if number < len(cells) else "", []
        state.push(f"{tag}_close", tag, -1)
    state.push("tr_close", "tr", -1)
