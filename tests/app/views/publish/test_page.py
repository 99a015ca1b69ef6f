"""Tests of the publishing page, with fake replies of a job process."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.viewmodels.bridges.questions import OnReply, Questions
from app.viewmodels.hub.publish import Publishing
from app.views.kit.theme import Theme
from app.views.publish.page import PublishPage
from mlx_engine.engine.values.job_messages import JobReply, JobRequest
from mlx_engine.models.description.describe import describe
from mlx_engine.models.hub.upload_messages import CardDraft, OutgoingFile, Publish, PublishTarget
from mlx_engine.protocol import RequestFailed
from tests.app.views.shell.test_window import unnamed_controls
from tests.conversions import write_conversion

CARD = "---\nlicense: llama3.2\nbase_model: maker/Whale\n---\n\n# Whale-4bit\n\nFor Macs.\n"
DRAFT = CardDraft(
    id="d", repository="ada/Whale-4bit", account="ada", card=CARD, license="llama3.2", base_model="", warnings=()
)
FILES = (OutgoingFile("model.safetensors", 4_200_000_000), OutgoingFile("README.md", 2_000))
TARGET = PublishTarget(
    id="t",
    account="ada",
    repository="ada/Whale-4bit",
    exists=False,
    is_public=False,
    contents="nothing",
    files=FILES,
)


class FakeQuestions(Questions):
    """Answers each request at once with the next of `replies`."""

    def __init__(self, logs: Path, replies: list[JobReply]) -> None:
        super().__init__(logs)
        self._replies = replies

    def ask(self, request: JobRequest, on_reply: OnReply, *, latest_only: bool = False) -> None:
        on_reply(self._replies.pop(0))


Show = Callable[..., PublishPage]


@pytest.fixture
def queue() -> list[Publish]:
    return []


@pytest.fixture
def show(qtbot: QtBot, theme: Theme, tmp_path: Path, queue: list[Publish]) -> Show:
    pages: list[PublishPage] = []

    def show(*replies: JobReply) -> PublishPage:
        publishing = Publishing(FakeQuestions(tmp_path / "logs", list(replies)), queue.append)
        page = PublishPage(publishing, theme)
        qtbot.addWidget(page)
        pages.append(page)
        page.resize(660, 500)
        page.show()
        publishing.open(describe(write_conversion(tmp_path / "Whale-4bit"), "maker/Whale-4bit"))
        return page

    return show


def text_of(page: PublishPage) -> str:
    """Return all visible text of the page."""
    texts = (label.text() for label in page.findChildren(QLabel) if label.isVisible())
    return "\n".join(texts).replace("\N{ZERO WIDTH SPACE}", "")


def test_the_confirmation_lists_everything_that_is_sent(show: Show, queue: list[Publish]) -> None:
    """It has the account, the repository, the visibility, and every file with its size."""
    page = show(DRAFT, TARGET)
    assert "Nothing is sent until you confirm" in text_of(page)
    page.form.button.click()
    for fact in ("ada", "ada/Whale-4bit (new)", "Private", "model.safetensors", "4.2 GB", "README.md", "llama3.2"):
        assert fact in text_of(page)
    assert not queue
    page.confirmation.button.click()
    requests = [(request.repository, request.is_public, request.updates) for request in queue]
    assert requests == [("ada/Whale-4bit", False, False)]


def test_the_card_can_be_edited(show: Show, queue: list[Publish]) -> None:
    page = show(DRAFT, TARGET)
    page.form.card.edit.setChecked(True)
    page.form.card.source.setPlainText(CARD + "My own words.\n")
    page.form.public.click()
    page.form.button.click()
    page.confirmation.button.click()
    assert queue[0].card.endswith("My own words.\n")
    assert queue[0].is_public


def test_replacing_another_model_requires_consent(show: Show, queue: list[Publish]) -> None:
    page = show(
        DRAFT,
        PublishTarget(
            id="t",
            account="ada",
            repository="ada/Whale-4bit",
            exists=True,
            is_public=False,
            contents="another model",
            files=FILES,
        ),
    )
    page.form.button.click()
    assert "contains another model" in text_of(page)
    assert not page.confirmation.button.isEnabled()
    page.confirmation.replace.setChecked(True)
    page.confirmation.button.click()
    assert queue[0].updates


def test_a_problem_is_shown_with_its_remedy(show: Show, qtbot: QtBot) -> None:
    page = show(DRAFT, RequestFailed(id="t", error="ReadOnlyToken", title="No", message="It may only read."))
    page.form.button.click()
    assert "It may only read." in text_of(page)
    with qtbot.waitSignal(page.sign_in_requested):
        page.form.sign_in.click()


def test_escape_goes_back_one_step(show: Show, qtbot: QtBot) -> None:
    page = show(DRAFT, TARGET)
    page.form.button.click()
    assert page.confirmation.isVisible()
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert page.form.isVisible()
    with qtbot.waitSignal(page.closed):
        qtbot.keyClick(page, Qt.Key.Key_Escape)


def test_a_model_that_cannot_be_published_shows_the_reason(show: Show) -> None:
    page = show(
        RequestFailed(id="d", error="NotPublishable", title="This model can't be published", message="Not Facet's.")
    )
    assert "Not Facet's." in text_of(page)


def test_every_control_has_a_name(show: Show) -> None:
    page = show(DRAFT, TARGET)
    assert not unnamed_controls(page)
    page.form.button.click()
    assert not unnamed_controls(page)
