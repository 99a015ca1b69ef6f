"""Content of the inspector for one model: facts, files, bits of each layer and origin."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.viewmodels.library.library import Row
from app.viewmodels.library.loss import MeasuredLoss, UnknownLoss
from app.viewmodels.library.loss_search import find_loss
from mlx_engine.amounts import format_disk, format_short_count
from mlx_engine.errors import FacetError
from mlx_engine.folders import Folders
from mlx_engine.models.description import provenance
from mlx_engine.models.description.bit_map import LayerBits
from mlx_engine.models.description.card import read_card_text
from mlx_engine.models.description.describe import ModelDescription, read_bit_map
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.models.library.duplicates import DuplicateGroup
from mlx_engine.models.memory.memory import Fit
from mlx_engine.modes import is_quantized

__all__ = [
    "DuplicateGroup",
    "Inspection",
    "ModelInspector",
    "duplicate_facts",
    "inspect_model",
    "model_facts",
    "origin_facts",
]


@dataclass(frozen=True, slots=True)
class Inspection:
    """Content of the folder of the model `id`; `files` are names and sizes in bytes, largest first."""

    id: str
    files: Sequence[tuple[str, int]]
    layers: Sequence[LayerBits]
    provenance: Provenance
    card: str = ""
    """Untrusted Markdown."""
    loss: MeasuredLoss | UnknownLoss | None = None
    """None for a damaged model."""


class ModelInspector(QObject):
    """Reads one folder at a time in a thread; `inspection` is None until it is read."""

    changed = Signal()

    _completed = Signal(object)  # Inspection, from the thread

    def __init__(self, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folders = folders
        self.row: Row | None = None
        self.inspection: Inspection | None = None
        self._thread: threading.Thread | None = None
        self._is_stale = False
        """True if the folder must be read again after the current read."""
        self._completed.connect(self._set_inspection, Qt.ConnectionType.QueuedConnection)

    def inspect(self, row: Row | None) -> None:
        """Read the folder of `row`; keep the inspection until then if it is of the same model."""
        if row == self.row:
            return
        if row is None or self.row is None or row.id != self.row.id:
            self.inspection = None
        self.row = row
        self._start()
        self.changed.emit()

    def reload(self) -> None:
        """Read the current model again, such as for new measurements."""
        self._is_stale = self._thread is not None
        self._start()

    def close(self) -> None:
        """Wait for a running read."""
        self.row = None
        if self._thread:
            self._thread.join()

    def _start(self) -> None:
        if self.row and self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(self.row,), name="model inspection", daemon=True)
            self._thread.start()

    def _run(self, row: Row) -> None:
        self._completed.emit(inspect_model(row, self._folders))

    @Slot(object)
    def _set_inspection(self, inspection: Inspection) -> None:
        self._thread = None
        is_current = self.row is not None and inspection.id == self.row.id
        if is_current:
            self.inspection = inspection
            self.changed.emit()
        if not is_current or self._is_stale:
            self._is_stale = False
            self._start()


def inspect_model(row: Row, folders: Folders) -> Inspection:
    """Read the folder of `row` and its measurements; unreadable parts stay empty."""
    if row.path.is_file():
        return Inspection(row.id, _files([row.path]), (), Provenance())
    layers: Sequence[LayerBits] = ()
    if isinstance(row, ModelDescription):
        try:
            layers = read_bit_map(row.path)
        except FacetError:
            layers = ()
    try:
        files = _files(row.path.iterdir())
    except OSError:
        files = []
    card = read_card_text(row.path)
    return Inspection(row.id, files, layers, provenance.read(row.path), card, _loss(row, folders))


def _loss(row: Row, folders: Folders) -> MeasuredLoss | UnknownLoss | None:
    if not isinstance(row, ModelDescription):
        return None
    is_full_precision = not is_quantized(row.bits_per_weight)
    return find_loss(row.path, folders.measurements, folders.studies, is_full_precision=is_full_precision)


def model_facts(model: ModelDescription, memory: Fit) -> list[tuple[str, str]]:
    """Return facts about the model as pairs of name and value."""
    pairs = [
        ("Architecture", model.architecture),
        *(("Note", note) for note in model.notes),
        ("Parameters", _parameters(model)),
        ("Quantization", model.quantization),
        ("Bits per weight", f"{model.bits_per_weight:.2f} (incl. scales)"),
        ("On disk", format_disk(model.size_bytes)),
        ("Memory", _memory(memory)),
        ("Context", f"{model.context_length:,} tokens" if model.context_length else ""),
        ("Capabilities", _capabilities(model)),
        ("License", model.license or "Not stated"),
        ("Source", model.source),
        ("Revision", model.revision[:12]),
        ("Location", str(model.path)),
    ]
    return [(name, value) for name, value in pairs if value]


def duplicate_facts(row: Row, duplicates: DuplicateGroup) -> list[tuple[str, str]]:
    """Return the other locations of the weights of `row`, and the space that deleting them frees."""
    locations = [("Also in", str(other.path)) for other in duplicates.models if other.id != row.id]
    size_bytes = duplicates.reclaimable_bytes
    return [*locations, ("In duplicates", format_disk(size_bytes) if size_bytes else "Nothing: the files are shared")]


def origin_facts(provenance: Provenance) -> list[tuple[str, str]]:
    """Return facts about the conversion as pairs of name and value; empty if nothing is known."""
    tools = ", ".join(f"{name} {version}" for name, version in provenance.tools.items())
    pairs = [
        ("Recipe", provenance.recipe),
        ("Converted", provenance.created[:10]),
        ("Tools", tools),
        ("SHA-256", provenance.source_sha256[:16]),
        *(("Note", sentence) for sentence in provenance.notes),
    ]
    return [(name, value) for name, value in pairs if value]


def _files(paths: Iterable[Path]) -> list[tuple[str, int]]:
    sizes = [(path.name, path.stat().st_size) for path in paths if path.is_file()]
    return sorted(sizes, key=lambda file: (-file[1], file[0]))


def _memory(memory: Fit) -> str:
    verdicts = {"fits": "Fits.", "tight": "Tight: you may need to quit other apps.", "too large": "Doesn't fit."}
    text = f"{verdicts[memory.verdict]} {memory.summary}"
    if memory.verdict == "fits" or not memory.largest_context:
        return text
    return f"{text} The longest context that fits is {memory.largest_context:,} tokens."


def _parameters(model: ModelDescription) -> str:
    text = f"{format_short_count(model.parameters)} · {model.size_class}"
    if 0 < model.active_parameters < model.parameters:
        return f"{text}, {format_short_count(model.active_parameters)} active"
    return text


def _capabilities(model: ModelDescription) -> str:
    capabilities = {
        "chat": model.has_chat_template,
        "thinking": model.has_thinking,
        "tools": model.has_tools,
        "vision (not supported by Facet)": model.vision == "present",
    }
    names = ", ".join(name for name, is_present in capabilities.items() if is_present)
    return names or "text completion only, not trained for chat"
