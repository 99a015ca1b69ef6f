"""The Settings window: a tab per section, generated from the declarations. Changes apply at once."""

from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFrame, QScrollArea, QTabWidget, QVBoxLayout, QWidget

from app.domain.settings import Field, fields
from app.viewmodels.bridges.preferences import Preferences
from app.views.kit.fields.form import FieldForm
from app.views.kit.notification import Notifier
from app.views.kit.theme import Theme
from mlx_engine.errors import FacetError


class SettingsDialog(QDialog):
    """A field of kind `group` gets its own tab with the fields of the group."""

    def __init__(
        self, preferences: Preferences, notifier: Notifier, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._preferences, self._notifier, self._theme = preferences, notifier, theme
        self._forms: dict[str, FieldForm] = {}
        self.setWindowTitle("Settings")
        self.setModal(False)
        self._tabs = QTabWidget()
        for section in dict.fromkeys(field.section for field in fields() if field.section):
            self._add_section(section)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.RestoreDefaults)
        buttons.clicked.connect(preferences.reset)
        buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults).setAutoDefault(False)
        column = QVBoxLayout(self)
        column.addWidget(self._tabs)
        column.addWidget(buttons)
        preferences.changed.connect(self._refresh_field)
        self.resize(theme.scaled(500), theme.scaled(480))

    def _add_section(self, section: str) -> None:
        declared = [field for field in fields() if field.section == section]
        is_group = declared[0].kind == "group"
        parts = fields(type(self._preferences.get(declared[0].name))) if is_group else declared
        form = FieldForm(parts, self._theme)
        form.setContentsMargins(10, 12, 14, 10)
        form.edited.connect(self._set_in_group if is_group else self._set)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidgetResizable(True)
        scroll.setWidget(form)
        self._theme.thin_scroll_bars(scroll)
        self._tabs.addTab(scroll, section)
        for field in declared:
            self._forms[field.name] = form
            self._show(field)

    def _refresh_field(self, name: str) -> None:
        for field in fields():
            if field.name == name and name in self._forms:
                self._show(field)

    def _show(self, field: Field) -> None:
        value, form = self._preferences.get(field.name), self._forms[field.name]
        parts = msgspec.structs.asdict(value) if field.kind == "group" else {field.name: value}
        for name, part in parts.items():
            form.set_value(name, part)

    def _set_in_group(self, name: str, value: Any) -> None:
        self._set("sampling", msgspec.structs.replace(self._preferences.settings.sampling, **{name: value}))

    def _set(self, name: str, value: Any) -> None:
        try:
            self._preferences.set(name, value)
        except FacetError as error:
            self._notifier.error(error.title, error.message)
