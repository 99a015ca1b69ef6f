"""Heading of the Quantize page: back button, model, and context for the memory estimate."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.viewmodels.library.library import format_detail
from app.viewmodels.library.memory_fit import CONTEXTS, USUAL_CONTEXT
from app.viewmodels.quantize.state import FetchingModel, NoModel, QuantizeState, RepositoryFailed
from app.views.kit.buttons import IconButton
from app.views.kit.chips import ChoiceChip
from app.views.kit.grid import SIDE
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_context


class Heading(QWidget):
    """`context_chosen` carries a number of tokens."""

    back_requested = Signal()
    context_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = TextLabel(theme, role="heading")
        self._facts = TextLabel(theme, role="small", tone="secondary")
        back = IconButton(theme, "chevron-left", "Back")
        back.clicked.connect(self.back_requested)
        usual = f"Memory at {format_context(USUAL_CONTEXT)}"
        others = {f"Memory at {format_context(tokens)}": tokens for tokens in CONTEXTS}
        self.context = ChoiceChip(theme, "Context", {usual: USUAL_CONTEXT} | others, is_order=True, parent=self)
        self.context.setToolTip("Context length for the memory estimate")
        self.context.value_changed.connect(lambda: self.context_chosen.emit(self.context.value))
        names = QVBoxLayout()
        names.setSpacing(1)
        names.addWidget(self._name)
        names.addWidget(self._facts)
        row = QHBoxLayout(self)
        row.setContentsMargins(SIDE - 8, 10, SIDE, 6)
        row.setSpacing(8)
        row.addWidget(back)
        row.addLayout(names, 1)
        row.addWidget(self.context)

    def show_state(self, state: QuantizeState) -> None:
        """Show the model of this state."""
        self.context.setVisible(not isinstance(state, NoModel))
        self._facts.setVisible(not isinstance(state, NoModel | FetchingModel | RepositoryFailed))
        if isinstance(state, NoModel):
            self._name.setText("Quantize a model")
        elif isinstance(state, FetchingModel | RepositoryFailed):
            self._name.setText(state.repository)
        else:
            self._name.setText(state.model.name)
            self._facts.setText(format_detail(state.model))
