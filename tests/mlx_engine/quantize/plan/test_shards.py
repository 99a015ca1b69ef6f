"""Weight files. That arrays are dealt out as by mlx-lm, `test_stock.py` sees."""

from mlx_engine.quantize.plan.shards import into_shards

_two_gigabytes = ("U8", (2, 2**30))


def test_a_small_model_is_one_file() -> None:
    """With the name that needs no index."""
    (shard,) = into_shards([("a", ("F16", (4,))), ("b", ("F16", (4,)))])

    assert shard.file_name == "model.safetensors"
    assert list(shard.arrays) == ["a", "b"]


def test_several_files_are_numbered() -> None:
    """As every program expects them."""
    names = [shard.file_name for shard in into_shards((name, _two_gigabytes) for name in "abc")]

    assert names == ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]


def test_no_arrays_make_no_file() -> None:
    """A list of nothing is no list of an empty file."""
    assert into_shards([]) == ()
