"""Time until the window is shown and until it accepts text, compared with an empty Qt window.

Measures whole processes from start to first paint, in alternation, and reports medians. The first round is not counted:
it writes the bytecode, which an installed app has. Needs a display, or Xvfb:

    python -m tests.benchmarks.window [ROUNDS]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

if TYPE_CHECKING:
    from app.application import Run

KINDS = ("empty", "shown", "ready")


class PaintWatch(QObject):
    """Ends the process after the first paint of `widget`."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            watched.removeEventFilter(self)
            # Ends after this paint has reached the screen.
            QTimer.singleShot(0, lambda: os._exit(0))
        return False


def show_empty() -> int:
    qt = QApplication([])
    window = QMainWindow()
    window.resize(1180, 760)
    PaintWatch(window)
    window.show()
    return qt.exec()


def show_facet(kind: str) -> int:
    """Start the app like `app.application.main`, and watch the window or its composer."""
    from app.application import Run  # noqa: PLC0415 - the import is part of the measurement
    from app.environment import SingleInstance, start_log  # noqa: PLC0415
    from mlx_engine.folders import Folders  # noqa: PLC0415

    folders = Folders.from_environment()
    start_log(folders.logs)
    instance = SingleInstance(folders.data)
    run = Run(QApplication([]), folders)
    if kind == "shown":
        PaintWatch(run.window)
    else:
        watch_composer(run)
    code = run.until_closed()
    instance.release()
    return code


def watch_composer(run: "Run") -> None:
    """Poll until the window has its content, then watch the composer."""
    if run.assembly:
        PaintWatch(run.assembly.workbench.page.composer)
    else:
        QTimer.singleShot(0, lambda: watch_composer(run))


def time_of(kind: str, home: str) -> float:
    """Return how long one process of this kind runs, in seconds."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", __spec__.name, kind], check=True, env=environment | {"FACET_HOME": home})
    return time.perf_counter() - start


def main() -> int:
    if sys.argv[1:] and sys.argv[1] in KINDS:
        return show_empty() if sys.argv[1] == "empty" else show_facet(sys.argv[1])
    rounds = int(sys.argv[1]) if sys.argv[1:] else 15
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as home:
        # A broken model keeps the app from preparing the starter model.
        Path(home, "models/somebody/broken").mkdir(parents=True)
        for kind in KINDS * (rounds + 1):
            times[kind].append(time_of(kind, home))
    medians = {kind: statistics.median(seconds[1:]) for kind, seconds in times.items()}
    for kind, title in (("empty", "an empty window"), ("shown", "Facet's window shown"), ("ready", "ready to write")):
        print(f"{title:22}{1000 * medians[kind]:6.0f} ms, {medians[kind] / medians['empty']:.2f} times")
    return 0


if __name__ == "__main__":
    sys.exit(main())
