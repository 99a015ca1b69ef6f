import pytest

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.files.foreign_errors import translate


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("Received 2 parameters not in model: \na.weight,\nb.weight."), "2 unknown tensors, first a.weight"),
        (ValueError("Missing 3 parameters: \nlm_head.bias,\nx."), "lack 3 tensors, first lm_head.bias"),
        (
            ValueError("Expected shape (4, 1) but received shape (2, 1) for parameter a.weight"),
            "a.weight is (2, 1) in the files, but (4, 1) in the network",
        ),
        (TypeError("ModelArgs.__init__() missing 1 required positional argument: 'head_dim'"), "lacks 'head_dim'"),
        (AttributeError("no attribute 'get'"), "can't run"),
    ],
)
def test_what_mlx_lm_does_not_know_is_not_called_damaged(error: Exception, sentence: str) -> None:
    result = translate(error, "Whale")
    assert isinstance(result, UnsupportedModel)
    assert sentence in str(result)
    assert "ownload" not in str(result)


def test_an_unreadable_file_needs_a_download() -> None:
    result = translate(OSError("short read"), "Whale")
    assert isinstance(result, BrokenModel)
    assert "Download the model again" in str(result)
