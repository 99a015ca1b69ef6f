"""Weight files. `test_stock.py` compares the distribution of arrays with mlx-lm."""

from mlx_engine.quantize.plan.shards import into_shards

_two_gigabytes = ("U8", (2, 2**30))


def test_a_small_model_is_one_file() -> None:
    """With the name that needs no index."""
    (shard,) = into_shards([("a", ("F16", (4,))), ("b", ("F16", (4,)))])

    assert shard.file_name == "model.safetensors"
    assert list(shard.arrays) == ["a", "b"]


def test_several_files_are_numbered() -> None:
    """In the format that all programs expect."""
    names = [shard.file_name for shard in into_shards((name, _two_gigabytes) for name in "abc")]

    assert names == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


def test_without_arrays_there_is_no_file() -> None:
    """Not a single empty file."""
    assert into_shards([]) == ()
