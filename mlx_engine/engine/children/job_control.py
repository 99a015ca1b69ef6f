"""Whether what a job process does may go on: turned by the thread that reads requests, asked by the one that works."""

import threading


class Course:
    """It goes on until it is told to stand still, or to end."""

    def __init__(self) -> None:
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._is_ending = False
        self.ends_by_itself = False
        """Whether what is being done looks here often, and has something to put in order at its end."""

    def hold(self) -> None:
        self._goes_on.clear()

    def proceed(self) -> None:
        self._goes_on.set()

    def end(self) -> None:
        self._is_ending = True
        self._goes_on.set()

    def may_go_on(self) -> bool:
        """Wait while it stands still; tell whether to go on rather than to end."""
        self._goes_on.wait()
        return not self._is_ending
