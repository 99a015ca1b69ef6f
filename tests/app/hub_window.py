"""The view-models for the Hub, assembled as in the app, with the test Hub."""

from pathlib import Path

from PySide6.QtCore import QObject

from app.assembly.hub import HubAssembly
from app.assembly.parts import build_parts
from app.viewmodels.bridges.jobs import JobBridge
from app.viewmodels.jobs.queue import Jobs
from app.views.kit.theme import Theme
from mlx_engine.folders import Folders
from mlx_engine.models.description import provenance
from mlx_engine.models.description.provenance import Provenance
from tests.app.fake_models import make_model
from tests.hub.fixtures import model_files
from tests.hub.repository import Repository
from tests.hub.server import Hub


class HubWindow(QObject):
    """One run; another run with the same folder resumes its downloads."""

    def __init__(self, home: Path, theme: Theme) -> None:
        super().__init__()
        self._folders = Folders(data=home, cache=home / "cache", logs=home / "logs")
        self._parts = build_parts(self._folders, theme, self)
        self.preferences, self.library, self.offline = self._parts.preferences, self._parts.library, self._parts.offline
        self.bridge = JobBridge(self._folders, self.offline, self)
        self.jobs = Jobs(self.bridge, self.library, self)
        self.hub = HubAssembly(self._parts, self.jobs, self)
        self.discover, self.downloads, self.account = self.hub.discover, self.hub.downloads, self.hub.account
        self.bridge.start()

    def install(self, repository: str) -> None:
        """Add a model to the library that has the repository as its source."""
        folder = make_model(self._folders.models, f"owner/{repository.rpartition('/')[2]}")
        provenance.write(folder, Provenance(source=repository))
        self.library.refresh()

    def close(self) -> None:
        self.hub.close()
        self.bridge.close()
        self._parts.close()


def add_variant(
    hub: Hub, id: str, *, bits: int = 4, parameters: int = 4_000_000_000, gated: bool = False
) -> Repository:
    """Add a small MLX conversion to the Hub, listed with the given number of parameters."""
    base = f"maker/{id.rpartition('/')[2].rpartition('-')[0]}"
    repository = Repository(
        id,
        gated="manual" if gated else None,
        downloads=100 * bits,
        tags=("mlx", "license:apache-2.0", f"base_model:quantized:{base}"),
        card_data={"license": "apache-2.0", "base_model": base},
        config={"quantization": {"bits": bits}},
        tensor_counts={"U32": parameters * bits // 32, "BF16": parameters // 32},
    )
    repository.commit(model_files())
    return hub.add(repository)
