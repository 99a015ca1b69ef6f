"""Cost of the transcript in the UI thread. Run: python -m tests.benchmarks.transcript [tokens]

Streams a scripted answer of 4,000 tokens (3 code blocks, a table, formulas) at 100 and 500 tokens per second, shown 30
times per second below 200 earlier messages. For comparison, the same answer goes to a QTextBrowser by `setMarkdown` of
the whole text. A stall is the delay of a 5 ms timer. Then opens a conversation of 200 messages.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time

from PySide6.QtCore import QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication, QTextBrowser

from app.domain.conversation import Message, MessageState
from app.viewmodels.chat.chat import MessageItem
from app.views.kit.theme import Theme
from app.views.transcript import TranscriptView
from mlx_engine.protocol import Statistics

EARLIER = 200
FLUSH_MS = 33
PROBE_MS = 5

_PROSE = (
    "The scale of a group is set by its largest weight, so one outlier costs all the others their precision. "
    "That is why **small groups** help more than another bit, at the price of more scales; see `group_size`.\n\n"
)
_CODE = (
    "```python\n" + "".join(f"def step_{n}(x):\n    return x * {n} + 1  # step {n}\n\n" for n in range(12)) + "```\n\n"
)
_TABLE = "| bits | size | KL |\n|--|--:|--:|\n" + "".join(
    f"| {n} | {n * 0.9:.1f} GB | {1 / n:.4f} |\n" for n in range(2, 9)
)
_MATHS = (
    "With $w \\in \\mathbb{R}^d$ and $s = \\frac{a}{2^b - 1}$:\n\n$$ D = \\sum_x P(x) \\log \\frac{P(x)}{Q(x)} $$\n\n"
)
_LIST = (
    "".join(f"{n}. Point {n} of the list, with *emphasis* and a few more words to fill it.\n" for n in range(1, 9))
    + "\n"
)
_STATISTICS = Statistics(
    prompt_tokens=1240, cached_tokens=900, prefill_tokens_per_s=1240, time_to_first_token_s=0.2, generated_tokens=600,
    decode_tokens_per_s=41.2, effective_tokens_per_s=38.0, peak_memory_bytes=3 * 10**9, context_tokens=1800,
    finish_reason="stop",
)  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """CPU as a fraction of one core; stalls in milliseconds. `cpu_p99` and `cpu_worst` count only the CPU time of this
    process during a stall: on a busy Mac, the rest belongs to other processes.
    """

    cpu: float
    p50: float
    p99: float
    worst: float
    cpu_p99: float
    cpu_worst: float

    def __str__(self) -> str:
        cpu = f"CPU p99 {self.cpu_p99:5.1f}  max {self.cpu_worst:6.1f} ms"
        return f"CPU {self.cpu:5.1%}   stall p50 {self.p50:5.1f}  p99 {self.p99:5.1f}  max {self.worst:6.1f}   {cpu}"


class Probe(QObject):
    """Measures the delay of a timer."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ms: list[float] = []
        self.cpu_ms: list[float] = []
        self._last, self._last_cpu = perf_counter(), process_time()
        self._timer = QTimer(self, interval=PROBE_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now, cpu = perf_counter(), process_time()
        late = max((now - self._last) * 1000 - PROBE_MS, 0.0)
        self.late_ms.append(late)
        self.cpu_ms.append(min(late, (cpu - self._last_cpu) * 1000))
        self._last, self._last_cpu = now, cpu


def tokens(count: int) -> list[str]:
    """Return an answer as `count` pieces of four characters."""
    part = _PROSE * 4 + _LIST + _PROSE
    text = (
        part + _CODE + part + _MATHS + part + _CODE + _TABLE + "\n" + part + _CODE + _PROSE * (4 * count // len(_PROSE))
    )
    return [text[4 * n : 4 * n + 4] for n in range(count)]


def stream(pieces: list[str], rate: float, show: Callable[[str], None]) -> Cost:
    """Pass `pieces` to `show` at `rate` per second, batched as in the view-model."""
    loop, timer, probe = QEventLoop(), QTimer(interval=FLUSH_MS, timerType=Qt.TimerType.PreciseTimer), Probe()
    start, cpu, sent = perf_counter(), process_time(), 0

    def flush() -> None:
        nonlocal sent
        due = min(int((perf_counter() - start) * rate), len(pieces))
        if due > sent:
            show("".join(pieces[sent:due]))
            sent = due
        if sent == len(pieces):
            loop.quit()

    timer.timeout.connect(flush)
    timer.start()
    loop.exec()
    wall = perf_counter() - start
    late, busy = sorted(probe.late_ms), sorted(probe.cpu_ms)
    last = len(late) - 1
    p99 = int(0.99 * last)
    return Cost((process_time() - cpu) / wall, late[last // 2], late[p99], late[last], busy[p99], busy[last])


def item(
    number: int, text: str, *, role: str = "assistant", state: MessageState = MessageState.COMPLETE
) -> MessageItem:
    statistics = _STATISTICS if role == "assistant" and text else None
    return MessageItem(
        Message(id=str(number), parent=None, role=role, text=text, state=state, statistics=statistics, created=0.0)  # type: ignore[arg-type]
    )


def conversation() -> list[MessageItem]:
    """Return earlier messages: questions, and answers with prose, a list, code and formulas."""
    answer = _PROSE + _LIST + "```python\nprint('done')\n```\n\n" + _MATHS + _PROSE
    roles = ("user", "assistant")
    return [
        item(n, f"Question {n}: how large are the groups?" if n % 2 == 0 else answer, role=roles[n % 2])
        for n in range(EARLIER)
    ]


def settle(view: TranscriptView) -> None:
    """Wait until all messages are built and the event loop is idle."""
    view.finish()
    loop = QEventLoop()
    QTimer.singleShot(1500, loop.quit)
    loop.exec()


def measure_facet(theme: Theme, pieces: list[str], rate: float) -> Cost:
    view = TranscriptView(theme)
    view.resize(1000, 800)
    view.show()
    view.show_items(conversation())
    settle(view)
    view.add_item(item(EARLIER, "And now?", role="user"))
    view.add_item(item(EARLIER + 1, "", state=MessageState.STREAMING))
    cost = stream(pieces, rate, lambda text: view.append_text(str(EARLIER + 1), "answer", text))
    view.deleteLater()
    return cost


def measure_text_browser(pieces: list[str], rate: float) -> Cost:
    browser = QTextBrowser()
    browser.resize(1000, 800)
    browser.show()
    parts: list[str] = []

    def show(text: str) -> None:
        parts.append(text)
        browser.setMarkdown("".join(parts))
        browser.verticalScrollBar().setValue(browser.verticalScrollBar().maximum())

    cost = stream(pieces, rate, show)
    browser.deleteLater()
    return cost


def measure_opening(theme: Theme) -> tuple[float, float, float]:
    """Return seconds until the end is painted, seconds until all messages are built, and the longest stall in ms."""
    view = TranscriptView(theme)
    view.resize(1000, 800)
    view.show()
    QApplication.processEvents()
    loop, probe, items = QEventLoop(), Probe(), conversation()
    view.completed.connect(loop.quit)
    start = perf_counter()
    view.show_items(items)
    view.viewport().repaint()
    painted = perf_counter() - start
    loop.exec()
    done = perf_counter() - start
    view.deleteLater()
    return painted, done, max(probe.cpu_ms)


def main() -> None:
    application = QApplication.instance() or QApplication([])
    theme = Theme()
    if isinstance(application, QApplication):
        theme.install(application)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4000
    pieces = tokens(count)
    for rate in (100, 500):
        facet, browser = measure_facet(theme, pieces, rate), measure_text_browser(pieces, rate)
        print(f"{count:,} tokens at {rate} per second")
        print(f"  Facet, under {EARLIER} messages   {facet}")
        print(f"  QTextBrowser.setMarkdown     {browser}")
        stalls = facet.cpu_p99 / max(browser.cpu_p99, 0.1)
        print(f"  ratio                        CPU {facet.cpu / browser.cpu:.2f}   CPU p99 {stalls:.2f}")
    painted, done, worst = measure_opening(theme)
    print(
        f"opening {EARLIER} messages: end painted after {painted:.3f} s, "
        f"complete after {done:.3f} s, stall ≤ {worst:.0f} ms of CPU"
    )


if __name__ == "__main__":
    main()
