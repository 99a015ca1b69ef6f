"""`facet pull`: downloads a model from the Hugging Face Hub."""

from typing import Annotated

from cyclopts import Parameter

from mlx_engine.cli import job
from mlx_engine.cli.views.download import text_view
from mlx_engine.cli.views.job import JsonView, show_resumable
from mlx_engine.folders import Folders
from mlx_engine.hub_messages import Download


def pull(
    repository: str,
    /,
    *,
    include: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Download a model into the Hugging Face cache.

    Only what a model needs is downloaded: weights as safetensors, configuration, tokenizer, chat template, card. Every
    file is verified. Control-C stops it; the same command goes on where it was. The folder is written to standard
    output. HF_TOKEN, HF_ENDPOINT and HF_HOME are respected.

    Args:
        repository: OWNER/NAME, or OWNER/NAME@REVISION for a branch, a tag or a commit.
        include: Download the files that match this pattern instead, e.g. "*Q4_K_M.gguf". Can be given several times.
        json: Write one JSON object a line: the plan, the progress, the end.
    """
    name, _, revision = repository.partition("@")
    request = Download(id="pull", repository=name, revision=revision or "main", include=include)
    show_resumable(job.run(request, Folders.from_environment()), JsonView() if json else text_view())
