"""Models in the layout of the Hugging Face cache: snapshots with links to files in blobs."""

from pathlib import Path

from tests.model_folders import write_model

COMMIT, OLDER = "c" * 40, "0" * 40


def write_snapshot(cache: Path, repository: str = "models--owner--tiny", commit: str = COMMIT) -> Path:
    """Write a snapshot with unique contents, and point the main branch to it."""
    plain = write_model(cache.parent / f"plain {commit}")
    folder = cache / repository
    snapshot = folder / "snapshots" / commit
    for part in (snapshot, folder / "blobs", folder / "refs"):
        part.mkdir(parents=True, exist_ok=True)
    for file in plain.iterdir():
        file.rename(folder / "blobs" / f"{commit[:4]}{file.name}")
        (snapshot / file.name).symlink_to(f"../../blobs/{commit[:4]}{file.name}")
    plain.rmdir()
    (folder / "refs" / "main").write_text(commit)
    return snapshot
