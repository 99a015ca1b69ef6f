"""Which files a conversion needs at which time, when they come one after the other. Pure.

A parameter can be written as soon as all files are here of which it is made. A file has been used when all parameters
that it has a part in are written.
"""

from collections.abc import Mapping, Sequence


class Supply:
    """`needs` are the names of the files that each parameter is made of, and `files` the order in which they come.

    Files that nothing needs are left out.
    """

    def __init__(self, files: Sequence[str], needs: Mapping[str, frozenset[str]]) -> None:
        wanted = frozenset[str]().union(*needs.values())
        self.files = tuple(name for name in files if name in wanted)
        places = {name: place for place, name in enumerate(self.files)}
        self._needs = dict(needs)
        self._latest = {
            parameter: max(map(places.__getitem__, names), default=-1) for parameter, names in needs.items()
        }

    @property
    def front(self) -> int:
        """How many files from the first on hold nothing up: all that can be written with them is written."""
        return max(0, min(self._latest.values(), default=len(self.files)))

    def ready(self, here: frozenset[str]) -> tuple[str, ...]:
        """Return the parameters that can be written with the files that are here."""
        return tuple(parameter for parameter, names in self._needs.items() if names <= here)

    def peak_bytes(self, sizes: Mapping[str, int], *, at_once: int) -> int:
        """Return the most that the files take at a time if each is removed when it was used.

        The next one is begun when all but `at_once` - 1 of those before it hold nothing up.
        """
        last = dict.fromkeys(self.files, -1)
        for parameter, names in self._needs.items():
            last |= {name: max(last[name], self._latest[parameter]) for name in names}

        def held(place: int) -> int:
            """What is there, or coming, when the file at `place` comes."""
            drained = place - at_once
            before = enumerate(self.files[: place + 1])
            return sum(sizes[name] for at, name in before if max(at, last[name]) > drained)

        return max(map(held, range(len(self.files))), default=0)

    def finish(self, parameter: str) -> tuple[str, ...]:
        """Take note that a parameter is written; return the files that were needed for it and are no more."""
        names = self._needs.pop(parameter)
        del self._latest[parameter]
        return tuple(name for name in self.files if name in names and not self._is_needed(name))

    def _is_needed(self, name: str) -> bool:
        return any(name in names for names in self._needs.values())
