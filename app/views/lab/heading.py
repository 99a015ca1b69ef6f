"""Heading of a study: its name, a menu of all studies, and actions."""

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QMessageBox, QVBoxLayout, QWidget

from app.viewmodels.lab.export import KINDS, ReportExport, ReportKind
from app.viewmodels.lab.format import format_corpus
from app.viewmodels.lab.studies import Lab
from app.views.kit.buttons import IconButton
from app.views.kit.chips import MenuChip
from app.views.kit.controls import SmallButton
from app.views.kit.grid import SIDE
from app.views.kit.plain_text import plain
from app.views.kit.save_file import ask_save_path
from app.views.kit.text_label import TextLabel
from app.views.kit.theme import Theme
from mlx_engine.amounts import format_count


class _StudyChip(MenuChip):
    """The name of the study, with a menu of all studies."""

    def __init__(self, lab: Lab, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "", parent)
        self._lab = lab

    def menu(self) -> QMenu:
        menu = QMenu(self)
        for name in self._lab.names:
            label = f"{name}  (running)" if name == self._lab.running else name
            action = menu.addAction(label.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(self._lab.study is not None and name == self._lab.study.plan.name)
            action.triggered.connect(lambda _checked=False, name=name: self._lab.open(name))
        menu.aboutToHide.connect(menu.deleteLater)
        return menu


class StudyHeading(QWidget):
    """`new_requested` asks for a new study, `duplicate_requested` for one with the plan of this one."""

    new_requested = Signal()
    duplicate_requested = Signal()

    def __init__(self, lab: Lab, export: ReportExport, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lab, self._export, self._theme = lab, export, theme
        self.studies = _StudyChip(lab, theme, self)
        self._facts = TextLabel(theme, role="small", tone="secondary", wraps=True)
        self.new = SmallButton(theme, "New Study…")
        self.more = IconButton(theme, "chevron-down", "Actions for this study")
        row = QHBoxLayout(self)
        row.setContentsMargins(SIDE - 4, 10, SIDE - 4, 6)
        row.setSpacing(8)
        names = QVBoxLayout()
        names.setSpacing(4)
        line = QHBoxLayout()
        line.addWidget(self.studies)
        line.addStretch(1)
        names.addLayout(line)
        names.addWidget(self._facts)
        row.addLayout(names, 1)
        row.addWidget(self.new)
        row.addWidget(self.more)
        self.new.clicked.connect(self.new_requested)
        self.more.clicked.connect(self._show_menu)
        lab.opened.connect(self.refresh)
        lab.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the current study."""
        study = self._lab.study
        if study is None:
            return
        name = study.plan.name
        self.studies.setText(name if len(name) <= 44 else f"{name[:43]}…")
        self.studies.setToolTip(plain(name))
        self.studies.setAccessibleName(f"Study: {name}")
        self.studies.updateGeometry()
        number, original = len(study.candidates), study.original.label.rpartition("/")[2]
        self._facts.setText(f"{format_count(number, 'model')} compared with {original} · {format_corpus(study.plan)}")
        self._facts.setToolTip(plain(f"{study.original.label}; read in {study.plan.convention.text}"))

    def show_briefly(self, is_brief: bool) -> None:
        """Hide the details if `is_brief`."""
        self._facts.setVisible(not is_brief)

    def _show_menu(self) -> None:
        menu = QMenu(self)
        menu.addAction("Rename…", self.rename).setEnabled(not self._lab.is_running)
        menu.addAction("New Study with This Plan…", self.duplicate_requested.emit)
        menu.addSeparator()
        report = menu.addMenu("Export Report")
        for kind in KINDS:
            report.addAction(kind.title, partial(self.export_report, kind))
        if self._export.can_quote:
            report.addSeparator()
            quote = report.addAction("Quote My Text")
            quote.setCheckable(True)
            quote.setChecked(self._export.with_texts)
            quote.toggled.connect(partial(setattr, self._export, "with_texts"))
        menu.addSeparator()
        menu.addAction("Delete…", self.delete)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height() + 4)))

    def rename(self) -> None:
        """Ask for a new name."""
        if (study := self._lab.study) is None:
            return
        name = study.plan.name
        dialog = QInputDialog(self)
        dialog.setWindowTitle("Rename Study")
        dialog.setLabelText("Study name:")
        dialog.setTextValue(name)
        dialog.setOkButtonText("Rename")
        dialog.textValueSelected.connect(lambda new: self._lab.rename(name, new))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def export_report(self, kind: ReportKind) -> None:
        """Ask for a path and write a report of the results so far."""
        name = self._export.suggested_name(kind.form)
        ask_save_path(self, "Export Report", name, kind.filter, partial(self._export.write, kind.form))

    def delete(self) -> None:
        """Delete the study after a confirmation."""
        if (study := self._lab.study) is None:
            return
        name = study.plan.name
        box = QMessageBox(QMessageBox.Icon.NoIcon, "Facet", f"Delete the study “{name}”?", parent=self)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setInformativeText("This deletes its results. The models stay in your library.")
        box.setStandardButtons(QMessageBox.StandardButton.Cancel)
        confirm = box.addButton("Delete", QMessageBox.ButtonRole.DestructiveRole)
        confirm.clicked.connect(lambda: self._lab.delete(name))
        box.finished.connect(box.deleteLater)
        box.open()
