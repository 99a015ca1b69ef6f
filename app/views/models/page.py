"""The page of the models on this machine: what is there, and what can be done with it."""

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.viewmodels.model_filter import ModelFilter
from app.viewmodels.model_table import ModelTable
from app.views.models.table import ModelsTable
from app.views.theme import Theme


class ModelsPage(QWidget):
    """Shows `models`."""

    def __init__(self, models: ModelTable, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._filter = ModelFilter(models, self)
        self._table = ModelsTable(self._filter, theme)
        self.setFocusProxy(self._table)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._table)

    def paintEvent(self, _event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.palette.window)
