import json
from pathlib import Path

import msgspec
import pytest

from mlx_engine.errors import NotPublishable
from mlx_engine.models.description import provenance
from mlx_engine.models.description.provenance import Provenance
from mlx_engine.quantize.publish.publish import collect, license_warning, read_conversion, without_paths
from tests.conversions import BASE, write_conversion
from tests.model_folders import write_model


def test_no_local_path_is_published(tmp_path: Path) -> None:
    """Of a model converted from a local path, with paths in every field."""
    home = tmp_path / "home" / "ada lovelace"
    folder = write_conversion(
        tmp_path / "Whale-4bit",
        source="/Users/ada/models/whale",
        notes=(
            "visual (2 MB) is left out: /Users/ada/models/whale/vision.bin is not read.",
            "See ~/ada/notes.md, or /Volumes/Disk of ada/a b/whale.md.",
        ),
        recipe="Converted by the recipe in C:\\Users\\ada\\own.json.",
        settings={"name": "own", "purpose": "as in /private/var/ada/own.json"},
        files_sha256={"/Users/ada/models/whale/model.safetensors": "ab" * 32},
    )
    (folder / "config.json").write_text(
        json.dumps(json.loads((folder / "config.json").read_text()) | {"_name_or_path": str(home)})
    )
    sent = {file.name: file.read() for file in collect(read_conversion(folder), "# Card")}
    for name, content in sent.items():
        if name != "model.safetensors":
            assert b"ada" not in content, name
    note = msgspec.json.decode(sent["facet.json"], type=Provenance)
    assert note.source == "whale"
    assert note.files_sha256.keys() == {"model.safetensors"}
    assert note.notes[0] == "visual (2 MB) is left out: vision.bin is not read."
    assert json.loads(sent["tokenizer_config.json"]) == {"eos_token": "</s>"}


def test_names_of_repositories_are_published(tmp_path: Path) -> None:
    """So are web addresses, fractions and dates."""
    text = f"Made from {BASE}, see https://huggingface.co/{BASE}/blob/main/config.json; 4/6 bits on 1/2/2026."
    assert without_paths(text) == text
    note = provenance.read(write_conversion(tmp_path / "Whale-4bit"))
    assert read_conversion(tmp_path / "Whale-4bit").note == note


def test_only_model_files_are_published(tmp_path: Path) -> None:
    """No notes, images, programs, or other cards."""
    folder = write_conversion(tmp_path / "Whale-4bit")
    for name in ("README.md", "modeling.py", "photo.png", "weights.bin", ".env"):
        (folder / name).write_text("private")
    (folder / "LICENSE").write_text("MIT")
    sent = {file.name: file.read() for file in collect(read_conversion(folder), "# Card")}
    assert sent.keys() == {
        "LICENSE", "README.md", "config.json", "facet.json", "model.safetensors", "tokenizer.json",
        "tokenizer_config.json",
    }  # fmt: skip
    assert sent["README.md"] == b"# Card"


def test_only_conversions_by_facet_are_published(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "Whale")
    with pytest.raises(NotPublishable, match="has no facet"):
        read_conversion(folder)


@pytest.mark.parametrize("license", ["cc-by-nd-4.0", "CC-BY-NC-ND-4.0"])
def test_a_license_that_forbids_derivatives_is_respected(license: str) -> None:
    assert "forbids" in license_warning(license)
    with pytest.raises(NotPublishable, match="forbids"):
        license_warning(license, is_public=True)


@pytest.mark.parametrize(
    ("license", "word"),
    [("", "unknown"), ("cc-by-nc-4.0", "commercial"), ("llama3.2", "terms"), ("other", "terms")],
)
def test_a_license_with_conditions_has_a_warning(license: str, word: str) -> None:
    assert word in license_warning(license, is_public=True)


def test_a_free_license_has_no_warning() -> None:
    assert not license_warning("apache-2.0", is_public=True)
