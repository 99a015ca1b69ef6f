"""`python -m mlx_engine`: the worker and other child processes by their names, or a verb of the command line."""

import sys
from collections.abc import Sequence

from mlx_engine import network
from mlx_engine.folders import Folders


def main(arguments: Sequence[str]) -> int:
    """Run what `arguments` name; return the exit code. Only what is named is imported."""
    arguments = network.take_offline_option(arguments)
    is_worker = arguments in (["worker"], ["--worker"])
    if network.is_offline() or is_worker:  # A worker never has any business with the network.
        network.refuse_all_but_loopback(Folders.from_environment().logs)
    match arguments:
        case ["job" | "--job"]:
            from mlx_engine.engine.children import job  # noqa: PLC0415

            return job.main()
        case ["worker" | "--worker"]:
            from mlx_engine.engine.children import worker  # noqa: PLC0415

            return worker.main()
        case ["--import-gguf", *files]:
            from mlx_engine.models.library import gguf_import as importing  # noqa: PLC0415

            return importing.main(files)
        case _:
            from mlx_engine.cli.main import main as run_verb  # noqa: PLC0415

            return run_verb(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
