"""Schedules a conversion whose source files arrive one by one. Pure.

A parameter can be written when all files that it needs are available. A file is no longer needed when all parameters
that need it are written.
"""

from collections.abc import Mapping, Sequence


class Supply:
    """`needs` are the names of the files for each parameter; `files` is the order in which they arrive.

    Files that no parameter needs are ignored.
    """

    def __init__(self, files: Sequence[str], needs: Mapping[str, frozenset[str]]) -> None:
        used = frozenset[str]().union(*needs.values())
        self.files = tuple(name for name in files if name in used)
        indices = {name: index for index, name in enumerate(self.files)}
        self._needs = dict(needs)
        self._latest = {
            parameter: max(map(indices.__getitem__, names), default=-1) for parameter, names in needs.items()
        }

    @property
    def front(self) -> int:
        """The number of files, from the first, with which every parameter that can be written is written."""
        return max(0, min(self._latest.values(), default=len(self.files)))

    def ready(self, available: frozenset[str]) -> tuple[str, ...]:
        """Return the parameters that can be written with the available files."""
        return tuple(parameter for parameter, names in self._needs.items() if names <= available)

    def peak_bytes(self, sizes: Mapping[str, int], *, at_once: int) -> int:
        """Return the peak size of the files if each is removed after use.

        The next file starts when all but `at_once` - 1 of those before it are done.
        """
        last = dict.fromkeys(self.files, -1)
        for parameter, names in self._needs.items():
            last |= {name: max(last[name], self._latest[parameter]) for name in names}

        def held(index: int) -> int:
            """Return the size of all files that exist or are arriving together with the file at `index`."""
            drained = index - at_once
            before = enumerate(self.files[: index + 1])
            return sum(sizes[name] for at, name in before if max(at, last[name]) > drained)

        return max(map(held, range(len(self.files))), default=0)

    def finish(self, parameter: str) -> tuple[str, ...]:
        """Record that a parameter is written; return the files that are no longer needed."""
        names = self._needs.pop(parameter)
        del self._latest[parameter]
        return tuple(name for name in self.files if name in names and not self._is_needed(name))

    def _is_needed(self, name: str) -> bool:
        return any(name in names for names in self._needs.values())
