"""Models of the catalog as cards."""

from dataclasses import dataclass
from typing import Literal

from app.viewmodels.formatting import hub as hub_format
from mlx_engine.amounts import format_context, format_disk
from mlx_engine.models.library.catalog import Recommendation

Suitability = Literal["first choice", "fits", "too large"]


@dataclass(frozen=True, slots=True)
class CatalogItem:
    """One card. `repository` is the conversion to download; `verdict` describes the suitability for this Mac."""

    name: str
    repository: str
    parameters: str
    purpose: str
    facts: str
    suitability: Suitability
    verdict: str


def catalog_item(recommendation: Recommendation) -> CatalogItem:
    """Return the card for a model of the catalog."""
    entry, build = recommendation.entry, recommendation.best_build
    suitability: Suitability = "fits" if recommendation.build else "too large"
    if recommendation.is_first_choice:
        suitability = "first choice"
    verdicts = {"first choice": "Best pick", "fits": "Runs well on this Mac"}
    facts = (
        build.quantization,
        format_disk(build.size_bytes),
        f"{format_context(entry.context_length)} context",
        hub_format.format_license(entry.license),
    )
    return CatalogItem(
        name=entry.name,
        repository=build.repository,
        parameters=hub_format.format_parameters(entry.parameters),
        purpose=entry.purpose,
        facts=" · ".join(facts),
        suitability=suitability,
        verdict=verdicts.get(suitability, f"Needs {min(build.memory_gb for build in entry.builds)} GB"),
    )
