from app.viewmodels.hub import catalog_items as catalogue_items
from mlx_engine.amounts import MEMORY_GB
from mlx_engine.models.library.catalog import recommend


def test_a_small_mac_is_told_what_it_can_run() -> None:
    """One model to begin with, those that suit, and for each of the others how much memory it needs."""
    items = [catalogue_items.catalog_item(one) for one in recommend(8 * MEMORY_GB)]
    assert [item.suitability for item in items].count("first choice") == 1
    assert {item.verdict for item in items if item.suitability == "fits"} == {"Runs well on this Mac"}
    too_large = [item.verdict for item in items if item.suitability == "too large"]
    assert too_large
    assert all(verdict.startswith("Needs ") and verdict.endswith(" GB") for verdict in too_large)
