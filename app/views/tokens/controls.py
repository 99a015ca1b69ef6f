"""What is chosen above the text: the candidate, the kind, the chunk; and the steps from divergence to divergence."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from app.viewmodels.tokens.states import Shown
from app.viewmodels.tokens.view import TokenView
from app.views.kit.buttons import IconButton
from app.views.kit.chips import Chip, MenuChip
from app.views.kit.controls import SmallButton
from app.views.kit.flow import Flow
from app.views.kit.plain_text import plain
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_LONGEST = 40
FLIPS, WORST = "Flips", "Worst 20"
_AIMS = "Step through flips, where the first choices differ, or through the twenty places of the greatest KL"
_SWAP = "The key X goes back to the model before, at the same place of the text"


class Choices(MenuChip):
    """One of several names, which may change at any time."""

    def __init__(
        self,
        theme: Theme,
        name: str,
        names: Callable[[], Sequence[str]],
        choose: Callable[[str], None],
        *,
        hint: str = "",
    ) -> None:
        super().__init__(theme, "")
        self._name, self._names, self._choose, self._hint = name, names, choose, hint
        self._value = ""

    def mark(self, value: str) -> None:
        """Show which one is chosen."""
        self._value = value
        short = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
        if short != self.text():
            self.setText(short)
            whole = value if short != value else ""
            self.setToolTip(plain("\n".join(filter(None, (whole, self._hint)))))
            self.setAccessibleName(f"{self._name}: {value}")
            self.updateGeometry()

    def menu(self) -> QMenu:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for name in self._names():
            action = menu.addAction(name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(name == self._value)
            action.triggered.connect(lambda _checked=False, name=name: self._choose(name))
            group.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        return menu


class Controls(Flow):
    """`step_requested` asks for the next divergence of the sort `aim`, `copy_requested` for a copy, as HTML or not."""

    step_requested = Signal(int)
    copy_requested = Signal(bool)

    def __init__(self, view: TokenView, theme: Theme, parent: QWidget | None = None) -> None:
        self._view = view
        self.aim = FLIPS
        self.candidates = Choices(theme, "Model", self._candidate_names, view.choose_candidate, hint=_SWAP)
        self.kinds = Choices(theme, "Text", lambda: view.kinds, view.choose_kind)
        self.back = IconButton(theme, "chevron-left", "The part before")
        self.part = TextLabel(theme, role="label", tone="secondary")
        self.forth = IconButton(theme, "chevron-right", "The next part")
        self.aims = Choices(theme, "Step through", lambda: (FLIPS, WORST), self._aim_at, hint=_AIMS)
        self.before = IconButton(theme, "chevron-up", "Previous divergence")
        self.next = IconButton(theme, "chevron-down", "Next divergence")
        self.before.set_name("Previous divergence", "K")
        self.next.set_name("Next divergence", "J")
        self.worst = Chip(theme, "List")
        self.worst.setToolTip("List of the twenty places of the greatest KL")
        self.worst.setAccessibleName("List of the twenty worst places")
        self.copy_button = SmallButton(theme, "Copy", "Copy the text")
        self.aims.mark(FLIPS)
        parts = (
            *(self.candidates, self.kinds, self.back, self.part, self.forth),
            *(self.aims, self.before, self.next, self.worst, self.copy_button),
        )
        super().__init__(parts, parent)
        self._connect()
        self.follow()

    def _connect(self) -> None:
        self.back.clicked.connect(lambda: self._view.turn(-1))
        self.forth.clicked.connect(lambda: self._view.turn(1))
        self.before.clicked.connect(lambda: self.step_requested.emit(-1))
        self.next.clicked.connect(lambda: self.step_requested.emit(1))
        self.copy_button.clicked.connect(self._show_copies)
        self._view.changed.connect(self.follow)

    def follow(self) -> None:
        """Show what is chosen."""
        view = self._view
        self.candidates.mark(view.candidate.name if view.candidate else "No model yet")
        self.kinds.mark(view.kind)
        chunks, is_shown = view.chunks, isinstance(view.state, Shown)
        place = chunks.index(view.chunk) if view.chunk in chunks else 0
        self.part.setText(f"{place + 1} of {len(chunks)}" if chunks else "")
        self.part.setToolTip("Part of the texts of this kind")
        self.back.setEnabled(place > 0)
        self.forth.setEnabled(place + 1 < len(chunks))
        self.candidates.setEnabled(bool(view.candidates))
        self.kinds.setEnabled(bool(view.candidates))
        for part in (self.before, self.next, self.aims, self.copy_button):
            part.setEnabled(is_shown)

    def _candidate_names(self) -> list[str]:
        return [one.name for one in self._view.candidates]

    def _aim_at(self, aim: str) -> None:
        self.aim = aim
        self.aims.mark(aim)

    def _show_copies(self) -> None:
        menu = QMenu(self)
        menu.addAction("Copy as HTML", lambda: self.copy_requested.emit(True))
        menu.addAction("Copy as Plain Text", lambda: self.copy_requested.emit(False))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.copy_button.mapToGlobal(QPoint(0, self.copy_button.height() + 4)))
