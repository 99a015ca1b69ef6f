"""Makes the pictures of the README: the real window with the real starter model.

QT_SCALE_FACTOR=1.5 python -m tests.screenshots docs/pictures
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.application import Run
from app.assembly import Assembly
from app.viewmodels.map_selection import ALL
from app.viewmodels.quantize import Ready
from app.views.lab.page import LabPage
from app.views.quantize.page import QuantizePage
from mlx_engine.folders import Folders
from mlx_engine.measure.plan import Gates
from mlx_engine.models import starter
from mlx_engine.sampling import Sampling

_QUESTIONS = (
    "Write a short poem about the sea",
    "Give me three ideas for a quick dinner",
    "How do I reverse a list in Python?",
)
_POLL_MS = 20

Step = Callable[[], bool]
"""Asked again and again; the script goes on once it returns true."""


def script(run: Run, folder: Path) -> Iterator[Step]:
    """What is done in the window, step by step."""

    def grab(name: str) -> None:
        run.window.grab().save(str(folder / f"{name}.png"))

    yield lambda: run.assembly is not None and run.assembly.chat.can_send
    chat, workbench = run.assembly.chat, run.assembly.workbench
    run.assembly.preferences.set("sampling", Sampling(temperature=0.0, repetition_penalty=1.1, max_tokens=160))
    grab("first-start")
    for question in _QUESTIONS[:-1]:
        workbench.new_chat()
        chat.send(question)
        yield lambda: not chat.busy
    workbench.new_chat()
    chat.send(_QUESTIONS[-1])
    yield lambda: chat.throughput.generated_tokens >= 100
    grab("window-light")
    yield lambda: not chat.busy
    yield from quantization(run.assembly, grab)
    yield from laboratory(run.assembly, grab)
    run.assembly.preferences.set("appearance", "dark")
    workbench.toggle_parameters()
    yield lambda: workbench.theme.is_dark
    grab("window-dark")
    run.window.close()


def quantization(assembly: Assembly, grab: Callable[[str], object]) -> Iterator[Step]:
    """Choose a recipe for the model of the chat, look at it in the editor, and let it be made."""
    workbench, quantize = assembly.workbench, assembly.quantizing().quantize
    workbench.actions_by_name["quantize"].trigger()
    yield lambda: isinstance(quantize.state, Ready)
    quantize.choose("balanced-4", chosen=True)
    yield _settled()
    grab("quantize")
    page = workbench.show_page("quantize")
    assert isinstance(page, QuantizePage)
    page.edit("balanced-4")
    yield _settled()
    assert page.editor
    values = page.editor.map.selection.at((ALL, 2))
    page.editor.map.select(values)
    page.editor.palette_panel.choose_bits(8)
    grab("recipe-editor")
    page.editor.left.emit()
    quantize.start()
    jobs = assembly.quantizing().jobs
    yield lambda: jobs.share > 0.2
    grab("jobs")
    yield lambda: not jobs.under_way
    workbench.show_page("chat")


def laboratory(assembly: Assembly, grab: Callable[[str], object]) -> Iterator[Step]:
    """Hold two conversions against the model of the chat, on a part of Facet's texts, and look at what they cost."""
    workbench, parts = assembly.workbench, assembly.lab()
    page = workbench.show_page("lab")
    assert isinstance(page, LabPage)
    yield _settled()
    grab("lab-empty")
    page.new()
    yield lambda: not parts.draft.is_reading
    parts.draft.choose(kinds=frozenset({"dialogue"}), recipes=frozenset({"affine-8-g64"}), has_speed=False)
    yield _settled()
    grab("lab-setup")
    page.setup.tray.button.click()
    yield lambda: any(line.is_open for line in parts.lab.lines())
    grab("lab-running")
    yield lambda: not parts.lab.running
    parts.lab.set_gates(Gates(max_mean_kl=0.05, prefer="smallest"))
    yield _settled()
    grab("lab-table")
    page.view.show_view(1)
    yield _settled()
    grab("lab-chart")
    workbench.show_page("chat")


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
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        folders = Folders(data=Path(home), cache=Path(home) / "cache", logs=Path(home) / "logs")
        starter.prepare(folders)
        run = Run(QApplication([]), folders)
        play(script(run, folder))
        return run.until_closed()


if __name__ == "__main__":
    sys.exit(main())
