import pytest

from mlx_engine.models.configuration.configuration import Configuration
from mlx_engine.models.description.dimensions import expert_counts


@pytest.mark.parametrize(
    ("values", "counts"),
    [
        ({"num_experts": 64, "num_experts_per_tok": 8}, (64, 8)),
        ({"num_local_experts": 8, "num_experts_per_token": 2}, (8, 2)),
        ({"ffn_config": {"moe_num_experts": 16, "moe_top_k": 4}}, (16, 4)),
        ({"num_experts": 16, "moe_topk": [1, 2, 2]}, (16, 2)),
        ({"num_experts": [8, 16], "moe_topk": 1}, (16, 1)),
        ({"text_config": {"n_routed_experts": 4, "num_experts_per_tok": 1}}, (4, 1)),
        ({"hidden_size": 64}, (0, 0)),
    ],
    ids=str,
)
def test_the_experts_of_a_mixture_come_from_all_forms_of_configuration(
    values: dict[str, object], counts: tuple[int, int]
) -> None:
    """Flat fields, DBRX's section, Hunyuan's lists with an entry for each layer, and a section of the text part."""
    assert expert_counts(Configuration(values)) == counts
