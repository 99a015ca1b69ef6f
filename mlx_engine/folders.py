"""The folders for Facet's files. `FACET_HOME` moves them all into one folder."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Folders:
    """The three root folders; the first writer creates each."""

    data: Path
    cache: Path
    logs: Path

    @classmethod
    def from_environment(cls) -> "Folders":
        """Return the folders below `FACET_HOME`; if it is not set, the system's standard folders for an app."""
        if home := os.environ.get("FACET_HOME"):
            root = Path(home).expanduser().absolute()
            return cls(data=root, cache=root / "cache", logs=root / "logs")
        dirs = platformdirs.PlatformDirs("Facet", appauthor=False)
        return cls(data=dirs.user_data_path, cache=dirs.user_cache_path, logs=dirs.user_log_path)

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.data / "settings.json"

    @property
    def models(self) -> Path:
        """The folder of `<owner>/<name>` model folders."""
        return self.data / "models"

    @property
    def recipes(self) -> Path:
        """The folder of the user's recipes, one file each."""
        return self.data / "recipes"

    @property
    def references(self) -> Path:
        """The folder of the originals' predictions, with which their quantizations are compared."""
        return self.data / "references"

    @property
    def datasets(self) -> Path:
        """The folder of measurement texts downloaded from the Hub."""
        return self.data / "datasets"

    @property
    def chats(self) -> Path:
        """The folder of copies of chats used as measurement texts, each kept as long as a study needs it."""
        return self.data / "chats"

    @property
    def measurements(self) -> Path:
        """The folder of measurement results."""
        return self.data / "measurements"

    @property
    def studies(self) -> Path:
        """The folder of studies, one file each."""
        return self.data / "studies"
