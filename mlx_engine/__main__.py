"""`python -m mlx_engine`: runs a child process (worker, job, import-gguf) or a command-line verb."""

import sys
from collections.abc import Sequence

from mlx_engine import network
from mlx_engine.folders import Folders


def main(arguments: Sequence[str]) -> int:
    """Run the child process or verb in `arguments`; return the exit code. Nothing else is imported."""
    arguments = network.apply_offline_option(arguments)
    is_worker = arguments == ["worker"]
    if network.is_offline() or is_worker:  # A worker never needs the network.
        network.refuse_all_but_loopback(Folders.from_environment().logs)
    match arguments:
        case ["job"]:
            from mlx_engine.engine.children import job  # noqa: PLC0415

            return job.main()
        case ["worker"]:
            from mlx_engine.engine.children import worker  # noqa: PLC0415

            return worker.main()
        case ["import-gguf", *options]:
            from mlx_engine.models.library import gguf_import  # noqa: PLC0415

            return gguf_import.main(options)
        case _:
            from mlx_engine.cli.main import main as run_verb  # noqa: PLC0415

            return run_verb(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
