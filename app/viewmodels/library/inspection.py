"""What the inspector shows of one model: facts, files, the bits of each layer, where it came from."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from app.viewmodels.library.library import Row
from app.viewmodels.library.loss import Loss, NotMeasured
from app.viewmodels.library.loss_search import look_up
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

__all__ = ["DuplicateGroup", "Inspection", "ModelInspector", "copies", "facts", "inspect", "origin"]


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was read from the folder of the model `id`; files are given with their size in bytes, the largest first."""

    id: str
    files: Sequence[tuple[str, int]]
    layers: Sequence[LayerBits]
    note: Provenance
    card: str = ""
    """Markdown that nobody has checked."""
    loss: Loss | NotMeasured | None = None
    """None where nothing can be measured."""


class ModelInspector(QObject):
    """Reads one folder at a time, in another thread; `inspection` is None until that is done."""

    changed = Signal()

    _read = Signal(object)  # Inspection, from the reading thread

    def __init__(self, folders: Folders, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folders = folders
        self.row: Row | None = None
        self.inspection: Inspection | None = None
        self._reading: threading.Thread | None = None
        self._is_stale = False
        """Whether what is being read has to be read again."""
        self._read.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def inspect(self, row: Row | None) -> None:
        """Show this model, or none; what is known already is there at once."""
        if row == self.row:
            return
        if row is None or self.row is None or row.id != self.row.id:
            self.inspection = None
        self.row = row
        self._start()
        self.changed.emit()

    def read_again(self) -> None:
        """Read anew what is shown; it may have been measured since."""
        self._is_stale = self._reading is not None
        self._start()

    def close(self) -> None:
        """Wait for what is being read."""
        self.row = None
        if self._reading:
            self._reading.join()

    def _start(self) -> None:
        if self.row and self._reading is None:
            self._reading = threading.Thread(target=self._run, args=(self.row,), name="model inspection", daemon=True)
            self._reading.start()

    def _run(self, row: Row) -> None:
        self._read.emit(inspect(row, self._folders))

    @Slot(object)
    def _take(self, inspection: Inspection) -> None:
        self._reading = None
        is_last = self.row is not None and inspection.id == self.row.id
        if is_last:
            self.inspection = inspection
            self.changed.emit()
        if not is_last or self._is_stale:
            self._is_stale = False
            self._start()


def inspect(row: Row, folders: Folders) -> Inspection:
    """Return what the folder of `row` holds, and what was measured of it; what cannot be read is left out."""
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
    note, card = provenance.read(row.path), read_card_text(row.path)
    return Inspection(row.id, files, layers, note, card, _loss(row, folders))


def _loss(row: Row, folders: Folders) -> Loss | NotMeasured | None:
    if not isinstance(row, ModelDescription):
        return None
    is_whole = not is_quantized(row.bits_per_weight)
    return look_up(row.path, folders.measurements, folders.studies, is_whole=is_whole)


def facts(model: ModelDescription, memory: Fit) -> list[tuple[str, str]]:
    """Return what is known of the model, as pairs of a name and a value."""
    pairs = [
        ("Architecture", model.architecture),
        ("Parameters", _parameters(model)),
        ("Quantization", model.quantization),
        ("Bits per weight", f"{model.bits_per_weight:.2f}, all counted"),
        ("On disk", format_disk(model.size_bytes)),
        ("Memory", _memory(memory)),
        ("Context", f"{model.context_length:,} tokens" if model.context_length else ""),
        ("Can", _abilities(model)),
        ("License", model.license or "Not said"),
        ("Source", model.source),
        ("Revision", model.revision[:12]),
        ("Place", str(model.path)),
    ]
    return [(name, value) for name, value in pairs if value]


def copies(row: Row, duplicates: DuplicateGroup) -> list[tuple[str, str]]:
    """Return where the weights of `row` are besides, and what keeping one of them frees."""
    others = [("Also in", str(other.path)) for other in duplicates.models if other.id != row.id]
    gain = (
        format_disk(duplicates.reclaimable_bytes) if duplicates.reclaimable_bytes else "Nothing: they share their files"
    )
    return [*others, ("To gain", gain)]


def origin(note: Provenance) -> list[tuple[str, str]]:
    """Return how the folder came to be, as pairs of a name and a value; empty where nothing is known."""
    tools = ", ".join(f"{name} {version}" for name, version in note.tools.items())
    pairs = [
        ("Recipe", note.recipe),
        ("Made", note.created[:10]),
        ("With", tools),
        ("SHA-256", note.source_sha256[:16]),
        *(("Note", sentence) for sentence in note.notes),
    ]
    return [(name, value) for name, value in pairs if value]


def _files(paths: Iterable[Path]) -> list[tuple[str, int]]:
    sizes = [(path.name, path.stat().st_size) for path in paths if path.is_file()]
    return sorted(sizes, key=lambda file: (-file[1], file[0]))


def _memory(memory: Fit) -> str:
    verdict = {"fits": "Fits.", "tight": "Tight: other programs may have to make room.", "too large": "Does not fit."}
    words = f"{verdict[memory.verdict]} {memory.summary}"
    if memory.verdict == "fits" or not memory.largest_context:
        return words
    return f"{words} The longest context that fits is {memory.largest_context:,} tokens."


def _parameters(model: ModelDescription) -> str:
    words = f"{format_short_count(model.parameters)} · {model.size_class}"
    if 0 < model.active_parameters < model.parameters:
        return f"{words}, {format_short_count(model.active_parameters)} at a time"
    return words


def _abilities(model: ModelDescription) -> str:
    """Return what the model knows besides going on with a text."""
    known = {
        "chat": model.has_chat_template,
        "think": model.has_thinking,
        "use tools": model.has_tools,
        "see, which Facet does not use": model.vision == "present",
    }
    return ", ".join(name for name, can in known.items() if can) or "go on with a text; it was not made for chats"
