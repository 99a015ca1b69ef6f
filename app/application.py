"""Start and end of a run of the window.

The window appears before the rest of Facet is imported and built, which takes longer than Qt itself.
"""

import logging
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, get_args

from PySide6.QtCore import QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

from app.environment import SingleInstance, catch_errors, missing_display, record_crashes, start_log
from app.views.kit.theme import Appearance, Theme
from app.views.shell.main_window import MainWindow
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders

if TYPE_CHECKING:
    from app.assembly.window import Assembly

_log = logging.getLogger("facet")


class Run:
    """One run: shows the window at once and fills it afterward. `command` starts a worker, by default Facet's own."""

    def __init__(self, qt: QApplication, folders: Folders, *, command: Sequence[str] | None = None) -> None:
        self._qt, self._folders, self._command = qt, folders, command
        state = QSettings(str(folders.data / "window.ini"), QSettings.Format.IniFormat)
        self._theme = Theme()
        if (appearance := state.value("appearance")) in get_args(Appearance):
            # The settings have it too, but are read only after the window appears.
            self._theme.set_appearance(appearance)
        self._theme.install(qt)
        self.window = MainWindow(self._theme, state)
        self.assembly: Assembly | None = None

    def until_closed(self) -> int:
        """Show the window, fill it, and return the exit code once it is closed."""
        # A timer, so that the first frame reaches the screen before the work starts.
        self.window.first_painted.connect(lambda: QTimer.singleShot(0, self._fill))
        self.window.show()
        code = self._qt.exec()
        if self.assembly:
            self.window.state.setValue("appearance", self.assembly.preferences.settings.appearance)
            self.assembly.close()
        return code

    def _fill(self) -> None:
        """Build the contents of the window; on failure, offer to retry."""
        from app.assembly.window import Assembly  # noqa: PLC0415 - loads only after the window appears

        while not self.assembly:
            try:
                self.assembly = Assembly(self.window, self._theme, self._folders, command=self._command)
            except FacetError as error:
                _log.error("cannot start: %s", error.message)
                if not _ask_to_retry(error):
                    self.window.hide()
                    self._qt.exit(1)
                    return
        catch_errors(self.assembly.notifier.error)


def main(argv: Sequence[str]) -> int:
    """Open the window, or bring the open one to the front, and return the exit code."""
    if message := missing_display():
        return _fail(message)
    folders = Folders.from_environment()
    try:
        start_log(folders.logs)
        record_crashes(folders.logs)
        instance = SingleInstance(folders.data)
    except OSError as error:
        return _fail(f"Facet can't write to {error.filename}: {error.strerror}.")
    qt = QApplication(list(argv))
    qt.setApplicationName("Facet")
    if not instance.is_first:
        instance.raise_first()
        print("Facet is already open. Its window is now in front.")  # noqa: T201 - for the user of the terminal
        return 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    run = Run(qt, folders)
    instance.raised.connect(run.window.bring_to_front)
    QTimer.singleShot(0, instance.listen)
    code = run.until_closed()
    instance.release()
    return code


def _ask_to_retry(error: FacetError) -> bool:
    box = QMessageBox(QMessageBox.Icon.Critical, "Facet", error.title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(error.message)
    box.setStandardButtons(QMessageBox.StandardButton.Retry | QMessageBox.StandardButton.Close)
    return box.exec() == QMessageBox.StandardButton.Retry


def _fail(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - no window can show it
    return 1
