"""Where Facet keeps its files. `FACET_HOME` moves them all into one folder."""

import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class Folders:
    """The three roots; each is made by whoever first writes into it."""

    data: Path
    cache: Path
    logs: Path

    @classmethod
    def from_environment(cls) -> "Folders":
        """Return the folders below `FACET_HOME`, or else the platform's own for an app."""
        if home := os.environ.get("FACET_HOME"):
            root = Path(home).expanduser().absolute()
            return cls(data=root, cache=root / "cache", logs=root / "logs")
        dirs = platformdirs.PlatformDirs("Facet", appauthor=False)
        return cls(data=dirs.user_data_path, cache=dirs.user_cache_path, logs=dirs.user_log_path)

    @property
    def settings(self) -> Path:
        """The file of the settings."""
        return self.data / "settings.json"

    @property
    def models(self) -> Path:
        """The folder of `<owner>/<name>` model folders."""
        return self.data / "models"

    @property
    def recipes(self) -> Path:
        """The folder of the recipes that a person has made, a file each."""
        return self.data / "recipes"

    @property
    def references(self) -> Path:
        """The folder of the originals' predictions, with which their quantizations are compared."""
        return self.data / "references"

    @property
    def datasets(self) -> Path:
        """The folder of the texts that were fetched from the Hub to measure on."""
        return self.data / "datasets"

    @property
    def chats(self) -> Path:
        """The folder of copies of past chats to measure on, each for as long as a study needs it."""
        return self.data / "chats"

    @property
    def measurements(self) -> Path:
        """The folder of what was measured."""
        return self.data / "measurements"

    @property
    def studies(self) -> Path:
        """The folder of the studies, a file each."""
        return self.data / "studies"
