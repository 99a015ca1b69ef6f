"""How a run of the window begins and ends.

The window is shown before the rest of Facet is imported and built, which takes longer than Qt itself.
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
    """One run: the window at once, what is in it right after. `command` starts a worker; the default is Facet's."""

    def __init__(self, qt: QApplication, folders: Folders, *, command: Sequence[str] | None = None) -> None:
        self._qt, self._folders, self._command = qt, folders, command
        state = QSettings(str(folders.data / "window.ini"), QSettings.Format.IniFormat)
        self._theme = Theme()
        if (kept := state.value("appearance")) in get_args(Appearance):
            # The settings say so too, but are read when the window is shown already.
            self._theme.set_appearance(kept)
        self._theme.install(qt)
        self.window = MainWindow(self._theme, state)
        self.assembly: Assembly | None = None

    def until_closed(self) -> int:
        """Show the window, fill it, and return the exit code when it is closed."""
        # A timer, so that the picture gets to the screen first.
        self.window.first_painted.connect(lambda: QTimer.singleShot(0, self._fill))
        self.window.show()
        code = self._qt.exec()
        if self.assembly:
            self.window.state.setValue("appearance", self.assembly.preferences.settings.appearance)
            self.assembly.close()
        return code

    def _fill(self) -> None:
        """Build what is in the window; where that fails, ask whether to try again."""
        from app.assembly.window import Assembly  # noqa: PLC0415 - not before the window is shown

        while not self.assembly:
            try:
                self.assembly = Assembly(self.window, self._theme, self._folders, command=self._command)
            except FacetError as error:
                _log.error("cannot start: %s", error.message)
                if not _ask_to_try_again(error):
                    self.window.hide()
                    self._qt.exit(1)
                    return
        catch_errors(self.assembly.notifier.error)


def main(argv: Sequence[str]) -> int:
    """Open the window, or bring the one to the front that is open; return the exit code."""
    if sentence := missing_display():
        return _refuse(sentence)
    folders = Folders.from_environment()
    try:
        start_log(folders.logs)
        record_crashes(folders.logs)
        instance = SingleInstance(folders.data)
    except OSError as error:
        return _refuse(f"Facet cannot write to {error.filename}: {error.strerror}.")
    qt = QApplication(list(argv))
    qt.setApplicationName("Facet")
    if not instance.is_first:
        instance.raise_first()
        print("Facet is open already; its window is in front now.")  # noqa: T201 - said to whoever started it
        return 0
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    run = Run(qt, folders)
    instance.raised.connect(run.window.bring_to_front)
    QTimer.singleShot(0, instance.listen)
    code = run.until_closed()
    instance.release()
    return code


def _ask_to_try_again(error: FacetError) -> bool:
    box = QMessageBox(QMessageBox.Icon.Critical, "Facet", error.title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(error.message)
    box.setStandardButtons(QMessageBox.StandardButton.Retry | QMessageBox.StandardButton.Close)
    return box.exec() == QMessageBox.StandardButton.Retry


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - there is no window to say it
    return 1
