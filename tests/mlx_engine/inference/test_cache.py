"""Contexts cached between answers."""

from collections.abc import Callable

from mlx_engine.inference.cache import Cache
from mlx_engine.inference.context import Context
from mlx_engine.inference.load import Model

OpenModel = Callable[[str], Model]
TEXT = [(7 * index * index + index) % 5003 for index in range(1000)]
OTHER = [6000 + index for index in range(1000)]


class Layer:
    """Cache of a layer that stores only the number of tokens."""

    def __init__(self, size: int = 0) -> None:
        self.size = size

    def is_trimmable(self) -> bool:
        return True

    def trim(self, count: int) -> None:
        self.size -= count

    @property
    def nbytes(self) -> int:
        return self.size


class Network:
    """Network of one such layer."""

    def make_cache(self) -> list[Layer]:
        return [Layer()]


def cache_with(*texts: list[int], limit_bytes: int = 10**6, boundary: int = 0) -> Cache:
    cache = Cache(Network(), limit_bytes, boundary=boundary)
    for text in texts:
        cache.check_in(Context([Layer(len(text))], list(text)))
    return cache


def test_the_next_turn_continues_where_the_last_one_ended() -> None:
    """All tokens are reused, so no explanation is needed."""
    context, reread = cache_with(OTHER, TEXT[:500]).check_out(TEXT)
    assert (context.tokens, context.layers[0].size, reread) == (TEXT[:500], 500, None)


def test_the_last_token_is_always_read() -> None:
    """Even for the same prompt again, since its output starts the answer."""
    context, reread = cache_with(TEXT).check_out(list(TEXT))
    assert (context.tokens, context.layers[0].size, reread) == (TEXT[:-1], 999, None)


def test_an_edit_rewinds_to_its_start() -> None:
    """Tokens before the edit are reused; new ones do not count as read again."""
    context, reread = cache_with(TEXT).check_out(TEXT[:900] + OTHER[:300])
    assert (context.tokens, reread) == (TEXT[:900], None)


def test_a_change_at_the_beginning_is_explained() -> None:
    """With the number of tokens that are read again, and the position of the difference."""
    context, reread = cache_with(TEXT).check_out([*TEXT[:12], 5999, *TEXT[13:]])
    assert context.tokens == []
    assert reread is not None
    words = reread.describe(lambda token: f"the system prompt ({token})")
    assert (
        words
        == f"reading {reread.tokens:,} tokens again: the conversation differs from token 12, in the system prompt (12)"
    )
    assert 960 <= reread.tokens <= 988


def test_only_tokens_read_before_count_as_read_again() -> None:
    """A repeated text that was read only in part does not count twice."""
    _, reread = cache_with([1, *TEXT[:100]]).check_out([2, *TEXT[:100] * 5])
    assert reread is not None
    assert reread.tokens <= 101


def test_another_conversation_is_not_explained() -> None:
    """Its text was never read before."""
    context, reread = cache_with(TEXT).check_out(OTHER)
    assert (context.tokens, reread) == ([], None)


def test_a_shared_beginning_is_copied_for_a_new_conversation() -> None:
    """The long system prompt of another conversation is reused, and that conversation stays cached."""
    cache = cache_with(TEXT)
    forked, _ = cache.check_out(TEXT[:300] + OTHER)
    assert forked.tokens == TEXT[:300]
    assert cache.check_out([*TEXT, 1])[0].tokens == TEXT


def test_the_least_recently_used_contexts_are_dropped_for_memory() -> None:
    """The newest one stays even if it exceeds the limit."""
    cache = cache_with(TEXT, OTHER[:600], limit_bytes=1200)
    assert cache.check_out([*TEXT, 1])[0].tokens == []
    assert cache.check_out([*OTHER[:600], 1])[0].tokens == OTHER[:600]
    assert cache_with(TEXT, limit_bytes=10).check_out([*TEXT, 1])[0].tokens == TEXT


def test_the_number_of_contexts_is_limited() -> None:
    """Many short conversations do not accumulate."""
    texts = [[number, *TEXT[:100]] for number in range(9000, 9009)]
    cache = cache_with(*texts)
    counts = [len(cache.check_out([*text, 1])[0].tokens) for text in texts]
    assert counts == [0] + [101] * 8


def test_rewinding_further_than_the_edit_is_explained(opened: OpenModel) -> None:
    """A model that can rewind only to a boundary reports it if that costs much."""
    network = opened("mamba2").network
    cache, context = Cache(network, 10**9), Context.empty(network)
    context.tokens += TEXT[:200]
    context.take_snapshot()
    context.tokens += TEXT[200:400]
    cache.check_in(context)
    _, reread = cache.check_out(TEXT[:390] + OTHER[:50])
    assert reread is not None
    assert reread.describe(str) == (
        "reading 190 tokens again: this kind of model can rewind only to the start of a message, here token 200"
    )


def test_a_context_read_for_a_short_conversation_is_not_used_beyond_the_length_boundary() -> None:
    """Up to the boundary it is used; beyond it, everything is read again, with the reason."""
    assert cache_with(TEXT[:400], boundary=500).check_out(TEXT[:500])[0].tokens == TEXT[:400]
    context, reread = cache_with(TEXT[:400], boundary=500).check_out(TEXT[:501])
    assert (context.tokens, context.is_long) == ([], True)
    assert reread is not None
    assert reread.describe(str) == (
        "reading 400 tokens again: this model encodes positions differently in conversations of more than 500 tokens"
    )


def test_a_context_read_for_a_long_conversation_is_used_only_beyond_the_length_boundary() -> None:
    cache = Cache(Network(), 10**6, boundary=500)
    cache.check_in(Context([Layer(600)], TEXT[:600], is_long=True))
    assert cache.check_out(TEXT[:400])[0].tokens == []
    assert cache.check_out(TEXT[:700])[0].tokens == TEXT[:600]
