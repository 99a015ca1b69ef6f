from app.viewmodels.hub.catalog_items import catalog_item
from mlx_engine.amounts import MEMORY_GB
from mlx_engine.models.library.catalog import recommend


def test_verdicts_depend_on_the_memory() -> None:
    """One model is the best pick, some run well, and the others show the memory that they need."""
    items = [catalog_item(recommendation) for recommendation in recommend(8 * MEMORY_GB)]
    assert [item.verdict for item in items if item.suitability == "first choice"] == ["Best pick"]
    assert {item.verdict for item in items if item.suitability == "fits"} == {"Runs well on this Mac"}
    too_large = [item.verdict for item in items if item.suitability == "too large"]
    assert too_large
    assert all(verdict.startswith("Needs ") and verdict.endswith(" GB") for verdict in too_large)
