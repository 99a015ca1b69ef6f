"""The offline switch with a Qt signal."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.viewmodels.bridges.preferences import Preferences
from mlx_engine import network


class OfflineSwitch(QObject):
    """Applies the offline setting to `network`. If something else forces Facet offline, the setting has no effect."""

    changed = Signal()

    def __init__(self, preferences: Preferences, logs: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences, self._logs = preferences, logs
        self._was_offline = network.is_offline()
        self.variable = network.hub_offline_variable()
        """The environment variable that forces Facet offline; "" if none does."""
        preferences.changed.connect(self._on_preference_changed)
        self._apply()

    @property
    def is_forced(self) -> bool:
        """Return True if the setting has no effect."""
        return self._was_offline or bool(self.variable)

    @property
    def is_on(self) -> bool:
        return network.is_offline()

    @property
    def refused_count(self) -> int:
        """Number of connections refused by all Facet processes."""
        return network.refused_count(self._logs)

    def turn(self, *, on: bool) -> None:
        self._preferences.set("offline", on)

    def restore(self) -> None:
        """Restore the environment variable."""
        network.set_offline(self._was_offline)

    def _on_preference_changed(self, name: str) -> None:
        if name == "offline":
            self._apply()
            self.changed.emit()

    def _apply(self) -> None:
        network.set_offline(self.is_forced or self._preferences.get("offline"))
