from mlx_engine.hub_messages import Evaluation, ModelPage, ReadModel
from mlx_engine.protocol import RequestFailed
from tests.hub.fixtures import add_model, model_files
from tests.hub.job_process import JobProcess
from tests.hub.repository import Repository
from tests.hub.server import Hub

HOSTILE = b"""---
license: mit
evil: !!python/object/apply:os.system ["touch /escaped"]
---
<script>alert(1)</script> ![](http://example.invalid/track.png) [click](javascript:alert(1)) \x1b]0;title\x07
"""


def page_of(job: JobProcess, repository: str) -> ModelPage:
    page = job.answer(ReadModel("p", repository))
    assert isinstance(page, ModelPage), page
    return page


def test_the_page_has_card_files_and_what_a_download_brings(hub: Hub, job: JobProcess) -> None:
    """The card comes without its block of metadata."""
    repository = add_model(hub, "page/plain")
    page = page_of(job, repository.id)
    files = repository.commits[repository.main]
    assert page.card == "# A model\n"
    assert page.configuration == '{"model_type": "llama"}'
    assert page.commit == repository.main
    assert {file.name: file.size_bytes for file in page.files} == {name: file.size for name, file in files.items()}
    needed = ("README.md", "config.json", "tokenizer.json", "model.safetensors")
    assert page.needed_bytes == sum(files[name].size for name in needed)


def test_evaluations_are_taken_from_the_card(hub: Hub, job: JobProcess) -> None:
    """Numbers alone; whatever else is written there is left out."""
    results = [
        {"type": "accuracy", "value": 61.5, "name": "Accuracy"},
        {"type": "accuracy", "value": "about 60"},
        {"type": "f1", "value": None},
    ]
    task = {"task": {"type": "text-generation"}, "dataset": {"type": "arc", "name": "ARC"}, "metrics": results}
    repository = add_model(hub, "page/evaluated")
    repository.card_data = {"model-index": [{"name": "A", "results": [task]}]}
    assert page_of(job, repository.id).evaluations == (Evaluation("ARC", "Accuracy", 61.5),)


def test_a_card_with_nonsense_for_evaluations_has_none(hub: Hub, job: JobProcess) -> None:
    """A wrong index is no reason to show no page."""
    repository = add_model(hub, "page/nonsense")
    repository.card_data = {"model-index": "yes", "base_model": 7}
    assert page_of(job, repository.id).evaluations == ()


def test_a_hostile_card_is_text_and_nothing_else(hub: Hub, job: JobProcess) -> None:
    """It is handed on as it is, for the one who shows it to make harmless; nothing in it is loaded or run."""
    repository = hub.add(Repository("page/hostile"))
    repository.commit({**model_files(), "README.md": HOSTILE})
    assert page_of(job, repository.id).card == HOSTILE.decode().split("---\n")[2]
    assert {seen.host for seen in hub.seen} <= {f"127.0.0.1:{hub.port}", hub.large_file_host}


def test_an_endless_card_is_cut(hub: Hub, job: JobProcess) -> None:
    """Ten megabytes of it, with half a character at the cut."""
    repository = hub.add(Repository("page/endless"))
    repository.commit({**model_files(), "README.md": "é".encode() * 5_000_000})
    assert 499_000 < len(page_of(job, repository.id).card) <= 500_001


def test_a_gated_page_shows_without_its_card(hub: Hub, job: JobProcess) -> None:
    """Everybody may see that it exists, and that signing in is needed."""
    repository = add_model(hub, "page/gated")
    repository.gated = "auto"
    page = page_of(job, repository.id)
    assert page.variant.gated
    assert page.card == ""


def test_a_page_of_a_dangerous_repository_is_refused(hub: Hub, job: JobProcess) -> None:
    """The file names alone tell."""
    hub.add(Repository("page/dangerous")).commit({**model_files(), "../x": b""})
    failure = job.answer(ReadModel("p", "page/dangerous"))
    assert isinstance(failure, RequestFailed)
    assert failure.error == "UnsafeRepository"
