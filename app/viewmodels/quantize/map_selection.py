"""Selection of matrices on a map: a rectangle between two places, and individual matrices.

A place is a line and a column. Line 0 has the matrices outside of layers, and the layers follow; line -1 means all
layers of a column, column -1 a whole line, and both together everything.
"""

from dataclasses import dataclass, replace

from app.viewmodels.quantize.recipe_map import MatrixCell, RecipeMap

Place = tuple[int, int]

OUTSIDE = 0
ALL = -1


@dataclass(frozen=True, slots=True)
class Selection:
    """The rectangle from `anchor` to `cursor`, and the individual paths in `others`."""

    map: RecipeMap
    anchor: Place = (1, 0)
    cursor: Place = (1, 0)
    others: frozenset[str] = frozenset()

    @property
    def lines(self) -> int:
        return 1 + len(self.map.rows)

    def columns(self, line: int) -> int:
        return len(self.map.outside) if line == OUTSIDE else len(self.map.kinds)

    def cell(self, position: Place) -> MatrixCell | None:
        """Return the matrix at a single place, if there is one."""
        line, column = position
        if line < 0 or column < 0 or line >= self.lines:
            return None
        if line == OUTSIDE:
            return self.map.outside[column] if column < len(self.map.outside) else None
        return self.map.rows[line - 1].cells.get(self.map.kinds[column]) if column < len(self.map.kinds) else None

    @property
    def paths(self) -> frozenset[str]:
        """Paths of the selected matrices."""
        lines = self._between(self.anchor[0], self.cursor[0], self.lines)
        paths: list[str] = []
        for line in lines:
            if line == OUTSIDE and len(lines) > 1 and not self._is_whole_width():
                continue  # Its columns differ from those of layers.
            columns = self._between(self.anchor[1], self.cursor[1], self.columns(line))
            paths.extend(cell.path for column in columns if (cell := self.cell((line, column))))
        return self.others.union(paths)

    def at(self, position: Place, *, extends: bool = False, adds: bool = False) -> "Selection":
        """Return the selection after a click: only that place, a range up to it, or that place in addition."""
        if extends:
            return replace(self, cursor=position)
        single = replace(self, anchor=position, cursor=position, others=frozenset())
        if not adds:
            return single
        if single.paths <= self.paths:
            nowhere = (self.lines, 0)
            return replace(single, anchor=nowhere, cursor=nowhere, others=self.paths - single.paths)
        return replace(single, others=self.paths)

    def moved(self, lines: int, columns: int, *, extends: bool = False) -> "Selection":
        """Return the selection after an arrow key."""
        lowest = OUTSIDE if self.map.outside else 1
        line = self._step(self.cursor[0], lines, lowest, self.lines - 1)
        column = self._step(self.cursor[1], columns, 0, max(self.columns(line) - 1, 0))
        return self.at((line, column), extends=extends)

    def on(self, changed: RecipeMap) -> "Selection":
        """Return the same selection on a changed map."""
        return replace(self, map=changed)

    def summary(self) -> str:
        """Return a description of the selection."""
        count = len(self.paths)
        if count == 1 and (cell := self.map.by_path.get(next(iter(self.paths)))):
            return f"{cell.path}: {cell.obstacle or cell.summary}"
        return "Nothing selected" if count == 0 else f"{count} matrices selected"

    def _is_whole_width(self) -> bool:
        return ALL in (self.anchor[1], self.cursor[1])

    def _between(self, start: int, end: int, count: int) -> range:
        if ALL in (start, end):
            return range(count)
        first, last = sorted((start, end))
        return range(first, min(last + 1, count))

    @staticmethod
    def _step(index: int, delta: int, lowest: int, highest: int) -> int:
        """Move by `delta`; before the first index is the heading, which means all."""
        if delta == 0:
            return min(index, highest)
        if index == ALL:
            return lowest if delta > 0 else ALL
        return ALL if index + delta < lowest else min(index + delta, highest)
