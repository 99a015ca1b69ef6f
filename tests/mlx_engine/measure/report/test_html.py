"""Behaviour of the report as a web page: it stands alone, says what was found, and nothing in it can act."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import msgspec
import pytest

from mlx_engine.measure.report.html import html
from mlx_engine.measure.report.subject import Subject
from mlx_engine.measure.study.plan import Gates
from mlx_engine.measure.study.study import StepFailure, Study
from tests.mlx_engine.measure.charts.studies import FEW, study
from tests.mlx_engine.measure.report.hostile import SCRIPT, hostile

_VOID = {"meta", "br"}


class Page(HTMLParser):
    """Reads a document, and fails where an element is not closed in its place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.comments: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def inside(self, tag: str) -> list[str]:
        """Return the texts of the elements of that name."""
        return [text for parent, text in self.texts if parent == tag]

    @property
    def text(self) -> str:
        return "\n".join(text for _, text in self.texts)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(html(Subject(study(FEW))))


@pytest.fixture(scope="module")
def spoilt() -> str:
    return html(Subject(hostile()))


def test_nothing_is_asked_of_the_network(page: Page) -> None:
    """No element names a place to load from, and the page forbids itself to."""
    assert not [tag for tag, told in page.elements if "src" in told or tag in ("link", "img", "iframe", "object")]
    assert all(told["href"].startswith("#") for tag, told in page.elements if tag == "a" and (told.get("href") or ""))
    assert "url(" not in "".join(page.inside("style"))
    policy = next(told["content"] for _, told in page.elements if told.get("http-equiv") == "Content-Security-Policy")
    assert policy
    assert policy.startswith("default-src 'none';")


def test_the_policy_allows_the_one_script(page: Page) -> None:
    """By its hash: without it the table would not sort."""
    scripts = page.inside("script")
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = next(told["content"] for _, told in page.elements if told.get("http-equiv") == "Content-Security-Policy")
    assert len(scripts) == 1
    assert f"script-src 'sha256-{digest}'" in (policy or "")


def test_links_lead_to_parts_of_the_page(page: Page) -> None:
    """Each to one that is there."""
    targets = {f"#{told['id']}" for _, told in page.elements if "id" in told}
    assert {told["href"] for tag, told in page.elements if tag == "a"} <= targets


def test_hostile_texts_become_no_elements(spoilt: str) -> None:
    """The page has the same elements as that of a harmless study, and no attribute that could act."""
    page = Page(spoilt)
    assert len(page.inside("script")) == 1
    assert page.comments == []
    assert not [tag for tag, told in page.elements if tag == "img" or any(name.startswith("on") for name in told)]
    assert SCRIPT in page.text


def test_what_cannot_be_seen_is_shown(spoilt: str) -> None:
    """Control characters have signs, and characters that turn the direction their numbers; none is left in the file."""
    assert not re.search("[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", spoilt)
    assert "nul␀escape␛[2Jbell␇" in spoilt
    assert "⟨U+202E⟩gnp.exe⟨U+2066⟩" in spoilt


def test_long_tokens_are_cut(spoilt: str) -> None:
    """A token of thousands of characters does not fill the page."""
    assert "x" * 5000 not in spoilt


def test_the_winner_comes_first() -> None:
    """The first sentence says which candidate wins, and within which limits."""
    made = study(FEW)
    plan = msgspec.structs.replace(made.plan, gates=Gates(max_mean_kl=0.1, prefer="smallest"))
    page = Page(html(Subject(msgspec.structs.replace(made, plan=plan))))
    sentence = next(text for text in page.inside("p") if "wins" in text)
    assert sentence == "4-bit wins, the smallest of 2 candidates within the limits (mean KL ≤ 0.1 nats)."


def test_cells_have_whole_values_to_sort_by(page: Page) -> None:
    """What is shown is rounded; what a column is sorted by is not, and is empty where nothing is known."""
    values = [told["data-value"] for tag, told in page.elements if tag == "td" and "data-value" in told]
    assert "0.041" in values
    assert "" in values


def test_failures_are_told_at_the_top_and_explained_below() -> None:
    """With title and message."""
    made = study(FEW)
    failed = msgspec.structs.replace(made.rows[1], failures=(StepFailure("speed", "Out of memory", "Close others."),))
    page = Page(html(Subject(msgspec.structs.replace(made, rows=(made.rows[0], failed, *made.rows[2:])))))
    assert "One step failed; see below." in page.text
    assert "Out of memory. Close others." in page.text


def test_a_study_without_results_says_so() -> None:
    """It has no charts, and no empty parts."""
    made = study(())
    rows = tuple(msgspec.structs.replace(row, speed=None) for row in made.rows)
    page = Page(html(Subject(Study(plan=made.plan, rows=rows))))
    assert "No candidate has been measured yet." in page.text
    assert [told for tag, told in page.elements if tag == "svg"] == []
    assert [told.get("id") for tag, told in page.elements if tag == "section"] == ["table"]


def test_folders_are_not_told() -> None:
    """A report is for others: where the models are on this machine is not their business."""
    made = study(FEW)
    rows = tuple(msgspec.structs.replace(row, path="/Users/anna/models") for row in made.rows)
    assert "/Users/anna" not in html(Subject(msgspec.structs.replace(made, rows=rows)))
