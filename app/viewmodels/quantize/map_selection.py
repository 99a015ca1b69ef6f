"""Which matrices of a map are chosen: a rectangle between two places, and what was chosen besides.

A place is a line and a column. Line 0 holds the matrices outside of all layers, the layers follow; line -1 stands for
all layers of a column, column -1 for all of a line, and both together for everything.
"""

from dataclasses import dataclass, replace

from app.viewmodels.quantize.recipe_map import MatrixCell, RecipeMap

Place = tuple[int, int]

OUTSIDE = 0
ALL = -1


@dataclass(frozen=True, slots=True)
class Selection:
    """`besides` are paths that were chosen before, one by one."""

    map: RecipeMap
    anchor: Place = (1, 0)
    cursor: Place = (1, 0)
    besides: frozenset[str] = frozenset()

    @property
    def lines(self) -> int:
        return 1 + len(self.map.rows)

    def columns(self, line: int) -> int:
        return len(self.map.outside) if line == OUTSIDE else len(self.map.kinds)

    def cell(self, place: Place) -> MatrixCell | None:
        """Return the matrix at the place, if it is one place and there is a matrix."""
        line, column = place
        if line < 0 or column < 0 or line >= self.lines:
            return None
        if line == OUTSIDE:
            return self.map.outside[column] if column < len(self.map.outside) else None
        return self.map.rows[line - 1].cells.get(self.map.kinds[column]) if column < len(self.map.kinds) else None

    @property
    def paths(self) -> frozenset[str]:
        """What is chosen."""
        lines = self._between(self.anchor[0], self.cursor[0], self.lines)
        found: list[str] = []
        for line in lines:
            if line == OUTSIDE and len(lines) > 1 and not self._is_whole_width():
                continue  # It has columns of its own.
            columns = self._between(self.anchor[1], self.cursor[1], self.columns(line))
            found.extend(cell.path for column in columns if (cell := self.cell((line, column))))
        return self.besides.union(found)

    def at(self, place: Place, *, extends: bool = False, adds: bool = False) -> "Selection":
        """Return the selection after a click there: alone, up to there, or there too."""
        if extends:
            return replace(self, cursor=place)
        alone = replace(self, anchor=place, cursor=place, besides=frozenset())
        if not adds:
            return alone
        if alone.paths <= self.paths:
            nowhere = (self.lines, 0)
            return replace(alone, anchor=nowhere, cursor=nowhere, besides=self.paths - alone.paths)
        return replace(alone, besides=self.paths)

    def moved(self, lines: int, columns: int, *, extends: bool = False) -> "Selection":
        """Return the selection after an arrow key."""
        lowest = OUTSIDE if self.map.outside else 1
        line = self._step(self.cursor[0], lines, lowest, self.lines - 1)
        column = self._step(self.cursor[1], columns, 0, max(self.columns(line) - 1, 0))
        return self.at((line, column), extends=extends)

    def on(self, changed: RecipeMap) -> "Selection":
        """Return the same selection on the map after a change."""
        return replace(self, map=changed)

    def in_words(self) -> str:
        """Say what is chosen."""
        count = len(self.paths)
        if count == 1 and (cell := self.map.by_path.get(next(iter(self.paths)))):
            return f"{cell.path}: {cell.obstacle or cell.words}"
        return "Nothing chosen" if count == 0 else f"{count} matrices chosen"

    def _is_whole_width(self) -> bool:
        return ALL in (self.anchor[1], self.cursor[1])

    def _between(self, one: int, other: int, count: int) -> range:
        if ALL in (one, other):
            return range(count)
        first, last = sorted((one, other))
        return range(first, min(last + 1, count))

    @staticmethod
    def _step(now: int, delta: int, lowest: int, highest: int) -> int:
        """Go on by `delta`; before the first one there is the heading, which stands for all."""
        if delta == 0:
            return min(now, highest)
        if now == ALL:
            return lowest if delta > 0 else ALL
        return ALL if now + delta < lowest else min(now + delta, highest)
