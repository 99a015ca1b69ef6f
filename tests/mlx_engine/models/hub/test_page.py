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


def test_the_page_has_the_card_the_files_and_the_download_size(hub: Hub, job: JobProcess) -> None:
    """The card comes without its metadata."""
    repository = add_model(hub, "page/plain")
    page = page_of(job, repository.id)
    files = repository.commits[repository.main]
    assert page.card == "# A model\n"
    assert page.configuration == '{"model_type": "llama"}'
    assert page.commit == repository.main
    assert {file.name: file.size_bytes for file in page.files} == {name: file.size for name, file in files.items()}
    needed = ("README.md", "config.json", "tokenizer.json", "model.safetensors")
    assert page.needed_bytes == sum(files[name].size for name in needed)


def test_evaluations_come_from_the_card(hub: Hub, job: JobProcess) -> None:
    """Values that are not numbers are left out."""
    results = [
        {"type": "accuracy", "value": 61.5, "name": "Accuracy"},
        {"type": "accuracy", "value": "about 60"},
        {"type": "f1", "value": None},
    ]
    task = {"task": {"type": "text-generation"}, "dataset": {"type": "arc", "name": "ARC"}, "metrics": results}
    repository = add_model(hub, "page/evaluated")
    repository.card_data = {"model-index": [{"name": "A", "results": [task]}]}
    assert page_of(job, repository.id).evaluations == (Evaluation("ARC", "Accuracy", 61.5),)


def test_invalid_evaluations_are_ignored(hub: Hub, job: JobProcess) -> None:
    """The page is still shown."""
    repository = add_model(hub, "page/nonsense")
    repository.card_data = {"model-index": "yes", "base_model": 7}
    assert page_of(job, repository.id).evaluations == ()


def test_a_hostile_card_is_passed_on_as_text(hub: Hub, job: JobProcess) -> None:
    """Nothing in it is loaded or run; the view must make it harmless."""
    repository = hub.add(Repository("page/hostile"))
    repository.commit({**model_files(), "README.md": HOSTILE})
    assert page_of(job, repository.id).card == HOSTILE.decode().split("---\n")[2]
    assert {seen.host for seen in hub.requests} <= {f"127.0.0.1:{hub.port}", hub.large_file_host}


def test_a_huge_card_is_truncated(hub: Hub, job: JobProcess) -> None:
    """The cut may be in the middle of a character."""
    repository = hub.add(Repository("page/endless"))
    repository.commit({**model_files(), "README.md": "é".encode() * 5_000_000})
    assert 499_000 < len(page_of(job, repository.id).card) <= 500_001


def test_a_gated_page_has_no_card(hub: Hub, job: JobProcess) -> None:
    """Without signing in, only its existence and that it is gated are visible."""
    repository = add_model(hub, "page/gated")
    repository.gated = "auto"
    page = page_of(job, repository.id)
    assert page.variant.gated
    assert page.card == ""


def test_the_page_of_a_dangerous_repository_is_refused(hub: Hub, job: JobProcess) -> None:
    """Its file names are not safe."""
    hub.add(Repository("page/dangerous")).commit({**model_files(), "../x": b""})
    failure = job.answer(ReadModel("p", "page/dangerous"))
    assert isinstance(failure, RequestFailed)
    assert failure.error == "UnsafeRepository"
