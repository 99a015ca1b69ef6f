"""Makes pictures of the real window: those of the README, with the real starter model.

    QT_SCALE_FACTOR=1.5 python -m tests.screenshots docs/pictures [NAME…]

With names, only these are made. With `FACET_HOME`, the pictures are of the latest study that is kept there.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.application import Run
from app.viewmodels.quantize.map_selection import ALL
from app.viewmodels.quantize.state import RecipesReady
from app.viewmodels.tokens.states import TextFailed, TextShown
from app.views.lab.page import LabPage
from app.views.quantize.page import QuantizePage
from mlx_engine.folders import Folders
from mlx_engine.measure.figures.sample import sample_key
from mlx_engine.measure.study.study import Row
from mlx_engine.models.library import starter
from mlx_engine.sampling import Sampling

_QUESTIONS = (
    "Write a short poem about the sea",
    "Give me three ideas for a quick dinner",
    "How do I reverse a list in Python?",
)
_SIZE, _NARROW = (1180, 760), (900, 640)
_POLL_MS = 20

Step = Callable[[], bool]
"""Asked again and again; the script goes on once it returns true."""
Grab = Callable[[str], None]
"""Keeps the window as it is now as the picture of this name, if that is wanted."""


def chats(run: Run, grab: Grab) -> Iterator[Step]:
    """Ask the starter model; of the earlier conversations only the titles are seen."""
    assert run.assembly
    chat, workbench, preferences = run.assembly.chat, run.assembly.workbench, run.assembly.preferences
    grab("first-start")
    for question in _QUESTIONS:
        tokens = 120 if question == _QUESTIONS[-1] else 4
        preferences.set("sampling", Sampling(temperature=0.0, repetition_penalty=1.1, max_tokens=tokens))
        workbench.new_chat()
        chat.send(question)
        yield lambda tokens=tokens: not chat.busy or chat.throughput.generated_tokens >= min(tokens, 100)
        if question == _QUESTIONS[-1]:
            grab("window-light")
        yield lambda: not chat.busy
    preferences.set("appearance", "dark")
    workbench.toggle_parameters()
    yield lambda: workbench.theme.is_dark
    yield _settled()
    grab("window-dark")
    workbench.toggle_parameters()
    preferences.set("appearance", "light")


def quantization(run: Run, grab: Grab) -> Iterator[Step]:
    """Choose a recipe for the model of the chat, look at it in the editor, and let it be made."""
    assert run.assembly
    workbench, quantize = run.assembly.workbench, run.assembly.pages.quantizing().quantize
    workbench.actions_by_name["quantize"].trigger()
    yield lambda: isinstance(quantize.state, RecipesReady)
    quantize.choose("balanced-4bit", chosen=True)
    yield _settled()
    grab("quantize")
    page = workbench.show_page("quantize")
    assert isinstance(page, QuantizePage)
    page.edit("balanced-4bit")
    yield _settled()
    assert page.editor
    page.editor.map.select(page.editor.map.selection.at((ALL, 2)))
    page.editor.palette_panel.choose_bits(8)
    grab("recipe-editor")
    page.editor.back_requested.emit()
    quantize.start()
    jobs = run.assembly.pages.jobs().jobs
    yield lambda: jobs.summary().fraction > 0.2 or not jobs.summary().remaining
    grab("jobs")
    yield lambda: not jobs.summary().remaining


def new_study(run: Run, grab: Grab) -> Iterator[Step]:
    """Put a study of the model of the chat together."""
    assert run.assembly
    parts, page = run.assembly.pages.lab(), run.assembly.workbench.show_page("lab")
    assert isinstance(page, LabPage)
    yield _settled()
    grab("lab-empty")
    page.new()
    yield lambda: not parts.draft.is_reading
    yield _settled()
    grab("lab-setup")


def study(run: Run, grab: Grab) -> Iterator[Step]:
    """Look at the study that is kept: in the table, beside each of its charts, and token by token."""
    assert run.assembly
    run.assembly.preferences.set("appearance", "light")
    parts, page = run.assembly.pages.lab(), run.assembly.workbench.show_page("lab")
    assert isinstance(page, LabPage)
    assert parts.lab.study, "No study is kept in this FACET_HOME."
    yield _settled()
    grab("lab-table")
    for place, name in enumerate(("lab", "lab-bars", "lab-kinds", "lab-spread"), 1):
        page.view.show_view(place)
        if name == "lab":
            page.view.table.select(sample_key(_best(parts.lab.study.candidates), 16))
        yield _settled()
        grab(name)
    page.view.show_view(5)
    yield lambda: isinstance(parts.tokens.state, TextShown | TextFailed)
    yield _settled()
    grab("lab-texts")
    page.view.show_view(1)
    run.window.resize(*_NARROW)
    yield _settled()
    grab("lab-chart")
    run.window.resize(*_SIZE)


def _best(candidates: Sequence[Row]) -> str:
    """Return the label of the one that is nearest to 4 bits a weight and has lost least."""
    measured = [row for row in candidates if row.fidelity]
    return min(measured, key=lambda row: (round(row.bits_per_weight) > 5, row.fidelity[0].fidelity.mean_kl)).label


SCENES: Mapping[Callable[[Run, Grab], Iterator[Step]], Sequence[str]] = {
    study: ("lab", "lab-table", "lab-bars", "lab-kinds", "lab-spread", "lab-texts", "lab-chart"),
    chats: ("first-start", "window-light", "window-dark"),
    quantization: ("quantize", "recipe-editor", "jobs"),
    new_study: ("lab-empty", "lab-setup"),
}
"""What pictures each scene makes, in the order in which they are played."""


def script(run: Run, folder: Path, wanted: Set[str]) -> Iterator[Step]:
    """What is done in the window, step by step; scenes of which no picture is wanted are left out."""

    def grab(name: str) -> None:
        if name in wanted:
            run.window.grab().save(str(folder / f"{name}.png"))

    yield lambda: run.assembly is not None and run.assembly.chat.can_send
    run.window.resize(*_SIZE)
    for scene, names in SCENES.items():
        if not wanted.isdisjoint(names):
            yield from scene(run, grab)
    run.window.close()


def _settled() -> Step:
    """Wait until what was shown last has its place."""
    asked = iter(range(5))
    return lambda: next(asked, None) is None


def play(steps: Iterator[Step]) -> None:
    """Go on from step to step in the event loop."""
    step = next(steps, None)

    def ask() -> None:
        if step is None:
            return
        if step():
            play(steps)
        else:
            QTimer.singleShot(_POLL_MS, ask)

    QTimer.singleShot(_POLL_MS, ask)


def main() -> int:
    """Make the pictures; what is in `FACET_HOME` is only read."""
    kept = os.environ.get("FACET_HOME")
    known = {name for scene, names in SCENES.items() if kept or scene is not study for name in names}
    folder, wanted = Path(sys.argv[1]), set(sys.argv[2:]) or known
    if unknown := wanted - known:
        sys.exit(f"No picture is called {', '.join(unknown)}. There are: {', '.join(sorted(known))}.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        folders = Folders(data=Path(home), cache=Path(home) / "cache", logs=Path(home) / "logs")
        starter.prepare(folders)
        if kept:
            for name in ("studies", "measurements"):
                (Path(home) / name).symlink_to(Path(kept).absolute() / name)
        run = Run(QApplication([]), folders)
        play(script(run, folder, wanted))
        return run.until_closed()


if __name__ == "__main__":
    sys.exit(main())
