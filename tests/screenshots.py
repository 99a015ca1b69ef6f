"""Makes the README's pictures of the real window, with the real starter model.

    QT_SCALE_FACTOR=1.5 python -m tests.screenshots docs/pictures [NAME…]

With names, makes only these pictures. The pictures of the Lab show the latest study in `FACET_HOME`, if it is set.
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
"""Condition that is polled; the script continues once it returns True."""
Grab = Callable[[str], None]
"""Saves a picture of the window under this name, if the picture was requested."""


def chats(run: Run, grab: Grab) -> Iterator[Step]:
    """Chat with the starter model; earlier chats are only visible in the sidebar."""
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
    """Choose a recipe for the model of the chat, show it in the editor, and start the conversion."""
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
    """Set up a study of the model of the chat."""
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
    """Show the saved study: its table, its charts, and its text token by token."""
    assert run.assembly
    run.assembly.preferences.set("appearance", "light")
    parts, page = run.assembly.pages.lab(), run.assembly.workbench.show_page("lab")
    assert isinstance(page, LabPage)
    assert parts.lab.study, "This FACET_HOME contains no study."
    yield _settled()
    grab("lab-table")
    for index, name in enumerate(("lab", "lab-bars", "lab-kinds", "lab-spread"), 1):
        page.view.show_view(index)
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
    """Return the label of the candidate with about 4 bits per weight and the lowest loss."""
    measured = [row for row in candidates if row.fidelity]
    return min(measured, key=lambda row: (round(row.bits_per_weight) > 5, row.fidelity[0].fidelity.mean_kl)).label


SCENES: Mapping[Callable[[Run, Grab], Iterator[Step]], Sequence[str]] = {
    study: ("lab", "lab-table", "lab-bars", "lab-kinds", "lab-spread", "lab-texts", "lab-chart"),
    chats: ("first-start", "window-light", "window-dark"),
    quantization: ("quantize", "recipe-editor", "jobs"),
    new_study: ("lab-empty", "lab-setup"),
}
"""Scenes in order, with the names of their pictures."""


def script(run: Run, folder: Path, requested: Set[str]) -> Iterator[Step]:
    """Play the scenes that have a requested picture."""

    def grab(name: str) -> None:
        if name in requested:
            run.window.grab().save(str(folder / f"{name}.png"))

    yield lambda: run.assembly is not None and run.assembly.chat.can_send
    run.window.resize(*_SIZE)
    for scene, names in SCENES.items():
        if not requested.isdisjoint(names):
            yield from scene(run, grab)
    run.window.close()


def _settled() -> Step:
    """Wait for a few rounds of the event loop, until the layout is complete."""
    rounds = iter(range(5))
    return lambda: next(rounds, None) is None


def play(steps: Iterator[Step]) -> None:
    """Run the steps in the event loop."""
    step = next(steps, None)

    def poll() -> None:
        if step is None:
            return
        if step():
            play(steps)
        else:
            QTimer.singleShot(_POLL_MS, poll)

    QTimer.singleShot(_POLL_MS, poll)


def main() -> int:
    """Make the pictures; files in `FACET_HOME` are only read."""
    user_home = os.environ.get("FACET_HOME")
    available = {name for scene, names in SCENES.items() if user_home or scene is not study for name in names}
    folder, requested = Path(sys.argv[1]), set(sys.argv[2:]) or available
    if unknown := requested - available:
        sys.exit(f"Unknown pictures: {', '.join(unknown)}. Available: {', '.join(sorted(available))}.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        folders = Folders(data=Path(home), cache=Path(home) / "cache", logs=Path(home) / "logs")
        starter.prepare(folders)
        if user_home:
            for name in ("studies", "measurements"):
                (Path(home) / name).symlink_to(Path(user_home).absolute() / name)
        run = Run(QApplication([]), folders)
        play(script(run, folder, requested))
        return run.until_closed()


if __name__ == "__main__":
    sys.exit(main())
