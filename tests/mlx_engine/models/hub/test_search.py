import time

import pytest

from mlx_engine.hub_messages import ModelGroup, Search, SearchFilters, SearchResults, Variant
from mlx_engine.protocol import RequestFailed
from tests.hub.faults import Refuse, WrongContent
from tests.hub.job_process import JobProcess
from tests.hub.repository import Repository
from tests.hub.server import Hub

MLX = ("mlx", "license:apache-2.0")


@pytest.fixture
def stocked_hub(hub: Hub) -> Hub:
    """A Hub with three conversions of one model, its original, a smaller model, and a speech model."""
    quantized = {"U32": 502_000_000, "BF16": 126_000_000}
    for repository in (
        Repository(
            "mlx-community/Qwen3-4B-4bit",
            tags=(*MLX, "base_model:Qwen/Qwen3-4B", "base_model:quantized:Qwen/Qwen3-4B"),
            tensor_counts=quantized,
            downloads=900,
            likes=3,
        ),
        Repository("someone/Qwen3-4B-MLX-4bit", tags=MLX, tensor_counts=quantized, downloads=10, likes=9),
        Repository(
            "mlx-community/Qwen3-4B-8bit",
            tags=MLX,
            config={"quantization": {"bits": 8, "group_size": 64}},
            tensor_counts={"U32": 1_004_000_000, "BF16": 126_000_000},
            card_data={"base_model": ["Qwen/Qwen3-4B"]},
            downloads=500,
        ),
        Repository("Qwen/Qwen3-4B", tags=("license:apache-2.0",), tensor_counts={"BF16": 4_020_000_000}, downloads=999),
        Repository(
            "mlx-community/Llama-3.2-1B-Instruct-bf16",
            tags=("mlx", "license:llama3.2"),
            tensor_counts={"BF16": 1_236_000_000},
            gated="manual",
            downloads=700,
            updated="2026-02-01T00:00:00.000Z",
        ),
        Repository("mlx-community/whisper-large", tags=MLX, pipeline_tag="automatic-speech-recognition"),
    ):
        hub.add(repository).commit({"config.json": b"{}"})
    return hub


def search(job: JobProcess, filters: SearchFilters) -> tuple[ModelGroup, ...]:
    results = job.answer(Search("s", filters))
    assert isinstance(results, SearchResults), results
    return results.groups


def names(groups: tuple[ModelGroup, ...]) -> list[str]:
    return [variant.repository for group in groups for variant in group.variants]


def test_variants_of_a_model_are_grouped(stocked_hub: Hub, job: JobProcess) -> None:
    """The base model comes from a tag, the card or the name. The groups are sorted by downloads."""
    groups = search(job, SearchFilters())
    assert [group.base_model for group in groups] == ["Qwen/Qwen3-4B", "Llama-3.2-1B-Instruct"]
    assert [variant.repository for variant in groups[0].variants] == [
        "mlx-community/Qwen3-4B-4bit",
        "mlx-community/Qwen3-4B-8bit",
        "someone/Qwen3-4B-MLX-4bit",
    ]


def test_variants_have_their_size_and_number_of_parameters(stocked_hub: Hub, job: JobProcess) -> None:
    """Packed weights are counted individually; their bits come from the configuration or the name."""
    variants = {variant.repository: variant for group in search(job, SearchFilters()) for variant in group.variants}
    four, eight = variants["mlx-community/Qwen3-4B-4bit"], variants["mlx-community/Qwen3-4B-8bit"]
    assert (four.quantization, eight.quantization) == ("4-bit", "8-bit")
    assert four.parameters == pytest.approx(4.02e9, rel=0.01)
    assert eight.parameters == pytest.approx(4.02e9, rel=0.01)
    assert four.size_bytes == 4 * 502_000_000 + 2 * 126_000_000
    plain = variants["mlx-community/Llama-3.2-1B-Instruct-bf16"]
    assert (plain.quantization, plain.parameters, plain.gated) == ("bf16", 1_236_000_000, True)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (SearchFilters(text="llama"), ["mlx-community/Llama-3.2-1B-Instruct-bf16"]),
        (SearchFilters(license="llama3.2"), ["mlx-community/Llama-3.2-1B-Instruct-bf16"]),
        (SearchFilters(gated=True), ["mlx-community/Llama-3.2-1B-Instruct-bf16"]),
        (SearchFilters(size_classes=("micro",)), ["mlx-community/Llama-3.2-1B-Instruct-bf16"]),
        (SearchFilters(author="someone"), ["someone/Qwen3-4B-MLX-4bit"]),
        (SearchFilters(text="qwen", largest_bytes=10**9), []),
        (SearchFilters(text="whisper", only_text_generation=False), ["mlx-community/whisper-large"]),
        (SearchFilters(text="qwen", order="likes", limit=1), ["someone/Qwen3-4B-MLX-4bit"]),
        (SearchFilters(order="recent", limit=1), ["mlx-community/Llama-3.2-1B-Instruct-bf16"]),
        (SearchFilters(text="no such words"), []),
    ],
    ids=str,
)
def test_each_filter_works(stocked_hub: Hub, job: JobProcess, filters: SearchFilters, expected: list[str]) -> None:
    """Only matching repositories are returned."""
    assert names(search(job, filters)) == expected


def test_the_original_is_grouped_with_its_conversions(stocked_hub: Hub, job: JobProcess) -> None:
    """It is found if the search is not limited to MLX."""
    groups = search(job, SearchFilters(text="qwen", only_mlx=False))
    assert len(groups) == 1
    assert len(groups[0].variants) == 4


def test_results_come_from_all_pages(stocked_hub: Hub, job: JobProcess) -> None:
    """The Hub returns them page by page."""
    stocked_hub.page_size = 1
    assert len(names(search(job, SearchFilters()))) == 4


def test_no_more_pages_than_necessary_are_requested(stocked_hub: Hub, job: JobProcess) -> None:
    """The search stops at its limit."""
    stocked_hub.page_size = 1
    assert len(names(search(job, SearchFilters(limit=2)))) == 2
    assert len(stocked_hub.requests_to("/api/models")) == 2


def test_a_repository_without_metadata_has_no_figures(hub: Hub, job: JobProcess) -> None:
    """Old repositories have neither tags nor tensor counts."""
    hub.add(Repository("old/thing", tags=("mlx",))).commit({"config.json": b"{}"})
    (group,) = search(job, SearchFilters())
    assert group.variants == (
        Variant(
            repository="old/thing",
            base_model="old/thing",
            is_mlx=True,
            quantization="",
            parameters=0,
            size_bytes=0,
            license="",
            gated=False,
            downloads=0,
            likes=0,
            updated="2026-01-01",
        ),
    )


def test_a_captive_portal_is_reported(stocked_hub: Hub, job: JobProcess) -> None:
    """A network may answer with its own HTML page until the user signs in."""
    stocked_hub.inject("/api/models", WrongContent())
    failure = job.answer(Search("s", SearchFilters()))
    assert isinstance(failure, RequestFailed)
    assert failure.error == "HubError"
    assert "sign in" in failure.message


def test_a_refused_search_raises_a_hub_error(stocked_hub: Hub, job: JobProcess) -> None:
    """The job process keeps running."""
    stocked_hub.inject("/api/models", Refuse(418))
    failure = job.answer(Search("s", SearchFilters()))
    assert isinstance(failure, RequestFailed)
    assert failure.error == "HubError"
    assert search(job, SearchFilters(text="llama"))


def test_a_search_without_a_network_fails_within_seconds(
    hub: Hub, start_job_process: type[JobProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`huggingface_hub` would retry for half a minute."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    began = time.monotonic()
    failure = start_job_process().answer(Search("s", SearchFilters()))
    assert isinstance(failure, RequestFailed)
    assert failure.error == "NoNetwork"
    assert time.monotonic() - began < 20


def test_a_busy_hub_fails_the_search_at_once(stocked_hub: Hub, job: JobProcess) -> None:
    """The error says when to try again."""
    stocked_hub.inject("/api/models", Refuse(429, (("Retry-After", "600"),)))
    failure = job.answer(Search("s", SearchFilters()))
    assert isinstance(failure, RequestFailed)
    assert (failure.error, failure.retry_after_s) == ("HubBusy", 600)
