"""`facet pull`: downloads a model from the Hugging Face Hub."""

from typing import Annotated

from cyclopts import Parameter

from mlx_engine.cli import job
from mlx_engine.cli.views.download import text_view
from mlx_engine.cli.views.job import JobJsonView, show_resumable
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import Download


def pull(
    repository: str,
    /,
    *,
    include: Annotated[tuple[str, ...], Parameter(negative=(), show_default=False)] = (),
    json: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
) -> None:
    """Download a model from the Hugging Face Hub to the Hugging Face cache.

    Downloads and verifies the files that a model needs: safetensors weights, configuration, tokenizer, chat template
    and model card. Control-C stops the download; run the same command to resume it. The folder is written to standard
    output. Respects HF_TOKEN, HF_ENDPOINT and HF_HOME.

    Args:
        repository: OWNER/NAME, or OWNER/NAME@REVISION for a branch, tag or commit.
        include: Download only files that match this pattern, such as "*Q4_K_M.gguf". Can be repeated.
        json: Write JSON, one object per line: the plan, progress and the result.
    """
    name, _, revision = repository.partition("@")
    request = Download(id="pull", repository=name, revision=revision or "main", include=include)
    show_resumable(job.run(request, Folders.from_environment()), JobJsonView() if json else text_view())
