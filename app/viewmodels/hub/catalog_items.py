"""A model of the catalogue as a card shows it."""

from dataclasses import dataclass
from typing import Literal

from app.viewmodels.formatting import hub as hub_format
from mlx_engine.amounts import format_context, format_disk
from mlx_engine.models.library.catalog import Recommendation

Suitability = Literal["first choice", "suits", "too large"]


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """`repository` is the conversion to download; `verdict` says in a few words whether it suits this Mac."""

    name: str
    repository: str
    amount: str
    purpose: str
    facts: str
    suitability: Suitability
    verdict: str


def item(one: Recommendation) -> CatalogueItem:
    """Return what to show of `one`."""
    entry, build = one.entry, one.best_build
    suitability: Suitability = "first choice" if one.is_first_choice else "suits" if one.build else "too large"
    verdicts = {"first choice": "Begin with this", "suits": "Suits this Mac"}
    facts = (
        build.quantization,
        format_disk(build.size_bytes),
        f"{format_context(entry.context_length)} context",
        hub_format.format_license(entry.license),
    )
    return CatalogueItem(
        name=entry.name,
        repository=build.repository,
        amount=hub_format.format_parameters(entry.parameters),
        purpose=entry.purpose,
        facts=" · ".join(facts),
        suitability=suitability,
        verdict=verdicts.get(suitability, f"Needs {min(build.memory_gb for build in entry.builds)} GB"),
    )
