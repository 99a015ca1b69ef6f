"""The offline switch as the window sees it."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.preferences import Preferences
from mlx_engine import network


class OfflineSwitch(QObject):
    """Keeps `network` as the settings want it. Started offline, by `--offline` or the environment, it stays so."""

    changed = Signal()

    def __init__(self, preferences: Preferences, logs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences, self._logs = preferences, logs
        self.is_forced = network.is_offline()
        preferences.changed.connect(self._follow)
        self._apply()

    @property
    def is_on(self) -> bool:
        return network.is_offline()

    @property
    def refused(self) -> int:
        """How many connections have been refused, by all processes of Facet."""
        return network.refused(self._logs)

    def turn(self, *, on: bool) -> None:
        self._preferences.set("offline", on)

    def restore(self) -> None:
        """Leave the environment as it was found."""
        network.set_offline(self.is_forced)

    def _follow(self, name: str) -> None:
        if name == "offline":
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        network.set_offline(self.is_forced or self._preferences.get("offline"))
