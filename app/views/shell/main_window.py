"""The window itself, which remembers its geometry and can appear before the rest of Facet is loaded."""

from PySide6.QtCore import QByteArray, QEvent, QSettings, Qt, Signal
from PySide6.QtGui import QCloseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMainWindow

from app.views.kit.theme import Theme

_SIZE = (1180, 760)
_SMALLEST = (640, 420)


class MainWindow(QMainWindow):
    """The main window. `state` stores its geometry; its contents save their own state there on `closing`."""

    first_painted = Signal()
    activated = Signal()
    closing = Signal()

    def __init__(self, theme: Theme, state: QSettings) -> None:
        super().__init__()
        self._theme, self.state = theme, state
        self._was_painted = False
        self.setWindowTitle("Facet")
        self.setMinimumSize(*_SMALLEST)
        self.resize(*_SIZE)
        geometry = state.value("geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        theme.changed.connect(self.update)

    def bring_to_front(self) -> None:
        """Show the window above all others, even if it is minimized."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.ActivationChange and self.isActiveWindow():
            self.activated.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.state.setValue("geometry", self.saveGeometry())
        self.closing.emit()
        super().closeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
        if not self._was_painted:
            self._was_painted = True
            self.first_painted.emit()
