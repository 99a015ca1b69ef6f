"""The report as a web page."""

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
    """Parses a document, and fails if an element is not closed properly."""

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
        """Return the texts of the elements with this tag."""
        return [text for parent, text in self.texts if parent == tag]

    @property
    def text(self) -> str:
        return "\n".join(text for _, text in self.texts)


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(html(Subject(study(FEW))))


@pytest.fixture(scope="module")
def hostile_page() -> str:
    return html(Subject(hostile()))


def test_the_page_loads_nothing(page: Page) -> None:
    """No element has a source, and the policy forbids any."""
    assert not [
        tag for tag, attributes in page.elements if "src" in attributes or tag in ("link", "img", "iframe", "object")
    ]
    assert all(
        attributes["href"].startswith("#")
        for tag, attributes in page.elements
        if tag == "a" and (attributes.get("href") or "")
    )
    assert "url(" not in "".join(page.inside("style"))
    policy = next(
        attributes["content"]
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy
    assert policy.startswith("default-src 'none';")


def test_the_policy_allows_only_its_script(page: Page) -> None:
    """By its hash; the script sorts the tables."""
    scripts = page.inside("script")
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = next(
        attributes["content"]
        for _, attributes in page.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert len(scripts) == 1
    assert f"script-src 'sha256-{digest}'" in (policy or "")


def test_links_lead_to_existing_sections(page: Page) -> None:
    targets = {f"#{attributes['id']}" for _, attributes in page.elements if "id" in attributes}
    assert {attributes["href"] for tag, attributes in page.elements if tag == "a"} <= targets


def test_hostile_texts_do_not_become_elements(hostile_page: str) -> None:
    """The page has the elements of a harmless study, and no active attribute."""
    page = Page(hostile_page)
    assert len(page.inside("script")) == 1
    assert page.comments == []
    assert not [
        tag for tag, attributes in page.elements if tag == "img" or any(name.startswith("on") for name in attributes)
    ]
    assert SCRIPT in page.text


def test_invisible_characters_are_replaced(hostile_page: str) -> None:
    """Control characters and those that change the text direction do not occur in the file."""
    assert not re.search("[\0-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", hostile_page)
    assert "nul␀escape␛[2Jbell␇" in hostile_page
    assert "⟨U+202E⟩gnp.exe⟨U+2066⟩" in hostile_page


def test_long_tokens_are_cut(hostile_page: str) -> None:
    """A token of thousands of characters does not fill the page."""
    assert "x" * 5000 not in hostile_page


def test_the_best_candidate_comes_first() -> None:
    """The first sentence has the best candidate and the limits."""
    base = study(FEW)
    plan = msgspec.structs.replace(base.plan, gates=Gates(max_mean_kl=0.1, prefer="smallest"))
    page = Page(html(Subject(msgspec.structs.replace(base, plan=plan))))
    sentence = next(text for text in page.inside("p") if "within limits" in text)
    assert sentence == "Best within limits (mean KL ≤ 0.1 nats): 4-bit, the smallest of 2 candidates."


def test_cells_have_unrounded_values_for_sorting(page: Page) -> None:
    """Empty without a measurement."""
    values = [
        attributes["data-value"] for tag, attributes in page.elements if tag == "td" and "data-value" in attributes
    ]
    assert "0.041" in values
    assert "" in values


def test_failures_are_mentioned_first_and_explained_below() -> None:
    """With title and message."""
    base = study(FEW)
    failed = msgspec.structs.replace(base.rows[1], failures=(StepFailure("speed", "Out of memory", "Close others."),))
    page = Page(html(Subject(msgspec.structs.replace(base, rows=(base.rows[0], failed, *base.rows[2:])))))
    assert "One step failed; see below." in page.text
    assert "Out of memory. Close others." in page.text


def test_a_study_without_results_says_so() -> None:
    """It has neither charts nor empty sections."""
    base = study(())
    rows = tuple(msgspec.structs.replace(row, speed=None) for row in base.rows)
    page = Page(html(Subject(Study(plan=base.plan, rows=rows))))
    assert "No candidate has been measured yet." in page.text
    assert [attributes for tag, attributes in page.elements if tag == "svg"] == []
    assert [attributes.get("id") for tag, attributes in page.elements if tag == "section"] == ["table"]


def test_folders_are_left_out() -> None:
    """Readers of a report do not need to know them."""
    base = study(FEW)
    rows = tuple(msgspec.structs.replace(row, path="/Users/anna/models") for row in base.rows)
    assert "/Users/anna" not in html(Subject(msgspec.structs.replace(base, rows=rows)))
