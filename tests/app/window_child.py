"""A real window with a scripted engine, which tests run as a child process.

    python -m tests.app.window_child answered|streaming

It sends a message and closes the window after the answer, or while it streams. It prints one JSON object with the
loaded modules and the process ids of the engine.
"""

import json
import sys
from collections.abc import Callable

import psutil
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.application import Run
from app.environment import start_log
from mlx_engine.folders import Folders
from tests.scripted_worker import Script, command

_POLL_MS = 10


def when(condition: Callable[[], bool], act: Callable[[], None]) -> None:
    """Call `act` once `condition` is true."""
    if condition():
        act()
    else:
        QTimer.singleShot(_POLL_MS, lambda: when(condition, act))


def main() -> int:
    scripts = {"answered": Script(answer="**Whales** sing: `a`"), "streaming": Script(tokens=100_000, rate=200)}
    script = scripts[sys.argv[1]]
    folders = Folders.from_environment()
    start_log(folders.logs)
    run = Run(QApplication([]), folders, command=command(script))

    def send() -> None:
        assert run.assembly.chat.send("Do whales sing?")
        when(is_far_enough, close)

    def is_far_enough() -> bool:
        chat = run.assembly.chat
        return chat.throughput.phase == "answering" if script.rate else not chat.busy

    def close() -> None:
        run.assembly.workbench.show_settings()
        workers = [child.pid for child in psutil.Process().children()]
        sys.stdout.write(json.dumps({"modules": sorted(sys.modules), "workers": workers}))
        QApplication.closeAllWindows()

    when(lambda: run.assembly is not None and run.assembly.chat.can_send, send)
    return run.until_closed()


if __name__ == "__main__":
    sys.exit(main())
