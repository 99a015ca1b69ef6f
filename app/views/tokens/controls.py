"""Controls of the token view: candidate, kind, chunk, and steps between divergences."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from app.viewmodels.tokens.states import TextShown
from app.viewmodels.tokens.view import TokenViewModel
from app.views.kit.buttons import IconButton
from app.views.kit.chips import Chip, MenuChip
from app.views.kit.controls import SmallButton
from app.views.kit.flow import Flow
from app.views.kit.plain_text import plain
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme

_LONGEST = 40
FLIPS, WORST = "Flips", "Worst 20"
_MODES_HINT = "Step through flips, where the first choices differ, or through the 20 places with the highest KL"
_SWAP = "Press X to switch to the previous model at the same place"


class ChoiceMenu(MenuChip):
    """A menu of names, which can change at any time."""

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

    def set_value(self, value: str) -> None:
        """Show the chosen name."""
        self._value = value
        short = value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…"
        if short != self.text():
            self.setText(short)
            full = value if short != value else ""
            self.setToolTip(plain("\n".join(filter(None, (full, self._hint)))))
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


class TokenControls(Flow):
    """Emits `step_requested` with a direction for the current `mode`, and `copy_requested` with True for HTML."""

    step_requested = Signal(int)
    copy_requested = Signal(bool)

    def __init__(self, view: TokenViewModel, theme: Theme, parent: QWidget | None = None) -> None:
        self._view = view
        self.mode = FLIPS
        self.candidates = ChoiceMenu(theme, "Model", self._candidate_names, view.choose_candidate, hint=_SWAP)
        self.kinds = ChoiceMenu(theme, "Text", lambda: view.kinds, view.choose_kind)
        self.previous_part = IconButton(theme, "chevron-left", "Previous part")
        self.part = TextLabel(theme, role="label", tone="secondary")
        self.next_part = IconButton(theme, "chevron-right", "Next part")
        self.modes = ChoiceMenu(theme, "Step through", lambda: (FLIPS, WORST), self._set_mode, hint=_MODES_HINT)
        self.previous = IconButton(theme, "chevron-up", "Previous divergence")
        self.next = IconButton(theme, "chevron-down", "Next divergence")
        self.previous.set_name("Previous divergence", "K")
        self.next.set_name("Next divergence", "J")
        self.worst = Chip(theme, "List")
        self.worst.setToolTip("List of the 20 places with the highest KL")
        self.worst.setAccessibleName("List of the 20 worst places")
        self.copy_button = SmallButton(theme, "Copy", "Copy the text")
        self.modes.set_value(FLIPS)
        parts = (
            *(self.candidates, self.kinds, self.previous_part, self.part, self.next_part),
            *(self.modes, self.previous, self.next, self.worst, self.copy_button),
        )
        super().__init__(parts, parent)
        self._connect()
        self.refresh()

    def _connect(self) -> None:
        self.previous_part.clicked.connect(lambda: self._view.turn(-1))
        self.next_part.clicked.connect(lambda: self._view.turn(1))
        self.previous.clicked.connect(lambda: self.step_requested.emit(-1))
        self.next.clicked.connect(lambda: self.step_requested.emit(1))
        self.copy_button.clicked.connect(self._show_copies)
        self._view.changed.connect(self.refresh)

    def refresh(self) -> None:
        """Show the current choices."""
        view = self._view
        self.candidates.set_value(view.candidate.name if view.candidate else "No model")
        self.kinds.set_value(view.kind)
        chunks, is_shown = view.chunks, isinstance(view.state, TextShown)
        part = chunks.index(view.chunk) if view.chunk in chunks else 0
        self.part.setText(f"{part + 1} of {len(chunks)}" if chunks else "")
        self.part.setToolTip("Part of the texts of this kind")
        self.previous_part.setEnabled(part > 0)
        self.next_part.setEnabled(part + 1 < len(chunks))
        self.candidates.setEnabled(bool(view.candidates))
        self.kinds.setEnabled(bool(view.candidates))
        for control in (self.previous, self.next, self.modes, self.copy_button):
            control.setEnabled(is_shown)

    def _candidate_names(self) -> list[str]:
        return [candidate.name for candidate in self._view.candidates]

    def _set_mode(self, mode: str) -> None:
        self.mode = mode
        self.modes.set_value(mode)

    def _show_copies(self) -> None:
        menu = QMenu(self)
        menu.addAction("Copy as HTML", lambda: self.copy_requested.emit(True))
        menu.addAction("Copy as Plain Text", lambda: self.copy_requested.emit(False))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.copy_button.mapToGlobal(QPoint(0, self.copy_button.height() + 4)))
