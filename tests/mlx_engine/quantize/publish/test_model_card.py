from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from mlx_engine.models.description.card import read_metadata, without_metadata
from mlx_engine.quantize.publish.model_card import Measurement, ModelCard, write_card
from mlx_engine.quantize.publish.publish import read_conversion
from mlx_engine.quantize.recipes.recipe_file import decode_recipe
from tests.conversions import BASE, COMMIT, write_conversion


@pytest.fixture
def card(tmp_path: Path) -> ModelCard:
    unchanged = ("model.layers.*.mlp.gate (2): the architecture wants it",)
    folder = write_conversion(
        tmp_path / "Whale-4bit", unquantized=unchanged, notes=("visual (2 MB) is left out: it sees.",)
    )
    return ModelCard(read_conversion(folder), "ada/Whale-4bit", "apache-2.0")


def metadata(card: ModelCard) -> dict[str, object]:
    """Return the metadata as the Hub reads it."""
    block = write_card(card).split("---\n")[1]
    fields: dict[str, object] = yaml.safe_load(block)
    return fields


def test_the_metadata_describes_the_model(card: ModelCard) -> None:
    """License, base model and relation, library, tags and task; language and task are those of the base model."""
    base_fields = read_metadata(
        "---\nlanguage:\n- en\n- no\npipeline_tag: image-text-to-text\nlicense: apache-2.0\n---\n"
    )
    assert metadata(replace(card, base_metadata=base_fields)) == {
        "license": "apache-2.0",
        "language": ["en", "no"],
        "base_model": BASE,
        "base_model_relation": "quantized",
        "library_name": "mlx",
        "pipeline_tag": "image-text-to-text",
        "tags": ["mlx", "facet", "4-bit"],
    }


def test_a_custom_license_keeps_its_name(card: ModelCard) -> None:
    base_fields = {"license": ("other",), "license_name": ("whale-1",), "license_link": ("LICENSE",)}
    fields = metadata(replace(card, license="other", base_metadata=base_fields))
    assert (fields["license"], fields["license_name"], fields["license_link"]) == ("other", "whale-1", "LICENSE")


def test_without_a_base_repository_none_is_stated(tmp_path: Path) -> None:
    """Only the name of a local original is mentioned."""
    folder = write_conversion(tmp_path / "Whale-4bit", source="/Users/ada/whale", revision="")
    text = write_card(ModelCard(read_conversion(folder), "ada/Whale-4bit", ""))
    assert "base_model" not in text
    assert "/Users" not in text
    assert text.count("license: unknown") == 1


def test_the_card_describes_the_conversion(card: ModelCard) -> None:
    """With the recipe in machine-readable form, base, commit, exact bits, unquantized and dropped tensors."""
    text = write_card(card)
    recipe = text.split("```json\n")[1].split("```")[0]
    assert decode_recipe(recipe.encode(), "card").name == "4bit"
    for words in (
        f"{BASE}/tree/{COMMIT}",
        "4.500",
        "the architecture wants it",
        "visual (2 MB)",
        "ab" * 32,
        "mlx 0.32",
    ):
        assert words in text
    assert 'load("ada/Whale-4bit")' in text


def test_the_card_has_only_measured_results(card: ModelCard) -> None:
    assert "Not measured." in write_card(card)
    row = Measurement("KL divergence, mean", "0.0123 ± 0.0004 nats", "against a | b")
    text = write_card(replace(card, measurements=(row,)))
    assert "Not measured." not in text
    assert "| KL divergence, mean | 0.0123 ± 0.0004 nats | against a \\| b |" in text


def test_lists_are_read_in_both_formats() -> None:
    """One item per line, or in brackets; values that are not plain are skipped."""
    text = "---\nlanguage: [en, de]\ntags:\n  - a\n  - 'b'\nwidget:\n- text: {x}\nlicense: mit\n---\n# Card"
    fields = read_metadata(text)
    assert (fields["language"], fields["tags"], fields["license"]) == (("en", "de"), ("a", "b"), ("mit",))
    assert without_metadata(text) == "# Card"
    assert read_metadata("# No metadata\nlicense: mit") == {}
