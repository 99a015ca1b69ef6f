"""Tests of the quality loss card on the Models page."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.viewmodels.library.loss import UnknownLoss, describe_loss
from app.views.kit.theme import Theme
from app.views.lab.page import LabPage
from app.views.models.loss_card import LossBars, LossCard
from app.views.shell.workbench import Workbench
from mlx_engine.measure.results.results import fingerprints, save_fidelity
from mlx_engine.measure.study.plan import StudyPlan
from mlx_engine.measure.study.study import Row, Study
from mlx_engine.measure.study.study_file import save_study
from tests.app.token_texts import result


@pytest.fixture
def card(qtbot: QtBot, theme: Theme) -> LossCard:
    card = LossCard(theme)
    qtbot.addWidget(card)
    card.show()
    return card


@pytest.mark.process
def test_the_library_leads_to_the_lab(workbench: Workbench) -> None:
    """A new study includes the selected model."""
    page = workbench.show_page("models")
    page.table.selectRow(1)
    page.inspector.loss.open.click()
    lab = workbench.findChild(LabPage)
    assert lab.isVisible()
    assert lab.setup.isVisible()


def visible_text(card: LossCard) -> str:
    return "\n".join(label.text() for label in card.findChildren(QLabel) if label.isVisible())


def test_without_a_result_it_offers_to_measure(card: LossCard) -> None:
    card.show_loss(UnknownLoss("Not measured yet."))
    assert "Not measured yet" in visible_text(card)
    assert card.open.text() == "Measure…"
    assert not card.copy_button.isVisible()


def test_a_result_has_text_an_accessible_name_and_a_copy(card: LossCard) -> None:
    card.show_loss(describe_loss(result("maker/Whale-4bit"), None))
    assert "About 15 of 100 next words differ" in visible_text(card)
    assert card.open.text() == "Measure Again…"
    card.show_loss(
        replace(describe_loss(result("maker/Whale-4bit"), None), study="Whales", other_results="Other results: many.")
    )
    assert card.open.text() == "Open in Lab"
    assert "Other results: many." in visible_text(card)
    assert "Top-1 agreement: 85.1%; Mean KL: 0.0430 · close" in card.findChild(LossBars).accessibleName()
    card.copy_button.click()
    assert QGuiApplication.clipboard().text().startswith("### Quality loss")


def test_results_of_the_command_line_are_shown(workbench: Workbench, qtbot: QtBot) -> None:
    """They appear when the window is activated."""
    page = workbench.show_page("models")
    page.table.selectRow(1)
    inspector = page.inspector
    qtbot.waitUntil(
        lambda: "Not measured" in visible_text(inspector.loss) or "not quantized" in visible_text(inspector.loss)
    )
    folders, row = inspector._inspector._folders, page.table.current_row()
    weights = fingerprints(folders.measurements).of(row.path)
    save_fidelity(result("maker/Whale-4bit", candidate_weights=weights), folders.measurements)
    QCoreApplication.sendEvent(workbench.window(), QEvent(QEvent.Type.WindowActivate))
    qtbot.waitUntil(lambda: "About 15 of 100" in visible_text(inspector.loss))


def test_the_card_opens_its_row_in_the_study(workbench: Workbench, qtbot: QtBot) -> None:
    """This includes a study that the command line saved in the meantime."""
    page = workbench.show_page("models")
    page.table.selectRow(1)
    inspector, row = page.inspector, page.table.current_row()
    rows = (
        Row(label="maker/Whale", path="gone", is_original=True, exists=False),
        Row(label=row.id, path=str(row.path)),
    )
    study = Study(plan=StudyPlan(name="Whales", original="maker/Whale"), rows=rows)
    save_study(study, inspector._inspector._folders.studies)
    QCoreApplication.sendEvent(workbench.window(), QEvent(QEvent.Type.WindowActivate))
    qtbot.waitUntil(lambda: inspector.loss.study == "Whales")
    inspector.loss.open.click()
    lab = workbench.findChild(LabPage)
    assert lab.view.isVisible()
    assert lab.view.table.selected_key == f"{row.id} 16"
