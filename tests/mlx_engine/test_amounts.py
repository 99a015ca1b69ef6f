import math

import pytest

from mlx_engine.amounts import (
    format_context,
    format_count,
    format_disk,
    format_disk_rate,
    format_duration,
    format_estimate,
    format_memory,
    format_number,
    format_percent,
    format_progress,
    format_short_count,
    format_token_rate,
)

GIB = 2**30


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1 KB"),
        (1_500, "2 KB"),
        (999_499, "999 KB"),
        (999_950, "1 MB"),
        (123_456_789, "123 MB"),
        (999_499_999, "999 MB"),
        (999_950_000, "1.0 GB"),
        (10**9, "1 GB"),
        (4_123_000_000, "4.1 GB"),
        (99_960_000_000, "100 GB"),
        (999_950_000_000, "1.0 TB"),
        (10**12, "1 TB"),
        (1_234_000_000_000_000, "1234 TB"),
        (-5_000_000, "-5 MB"),
    ],
)
def test_files_have_decimal_units(size_bytes: float, text: str) -> None:
    """As in Finder; no number has four digits where a larger unit exists."""
    assert format_disk(size_bytes) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 bytes"),
        (1_000, "1 KB"),
        (1_023, "1 KB"),
        (2**20, "1 MB"),
        (1_000 * 2**20, "1.0 GB"),
        (GIB, "1 GB"),
        (16 * GIB * 2 / 3, "10.7 GB"),
        (24 * GIB, "24 GB"),
        (512 * GIB, "512 GB"),
        (1024 * GIB, "1 TB"),
    ],
)
def test_memory_has_binary_units(size_bytes: float, text: str) -> None:
    """A Mac has the memory that it is sold with."""
    assert format_memory(size_bytes) == text


def test_a_size_just_above_a_limit_differs_from_it() -> None:
    limit, size = 4_500_000_000, 4_501_000_000
    assert format_disk(size) == format_disk(limit)
    assert format_disk(size, is_precise=True) == "4.501 GB"
    assert format_disk(limit, is_precise=True) == "4.5 GB"
    assert format_memory(GIB + GIB // 100, is_precise=True) == "1.01 GB"


def test_progress_has_both_sizes() -> None:
    assert format_progress(250_000_000, 4_500_000_000) == "250 MB of 4.5 GB"


@pytest.mark.parametrize(("bytes_per_s", "text"), [(0, "0 bytes/s"), (512_000.4, "512 KB/s"), (12_300_000, "12 MB/s")])
def test_download_speeds(bytes_per_s: float, text: str) -> None:
    assert format_disk_rate(bytes_per_s) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(0, "0.0 tok/s"), (45.24, "45.2 tok/s"), (99.96, "100 tok/s"), (1_234, "1,234 tok/s")]
)
def test_model_speeds_have_three_figures(rate: float, text: str) -> None:
    assert format_token_rate(rate) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 models"), (1, "1 model"), (2, "2 models"), (1_234, "1,234 models")])
def test_counts_agree_with_their_noun(count: int, text: str) -> None:
    assert format_count(count, "model") == text


def test_an_irregular_plural_is_given() -> None:
    assert format_count(1, "matrix", "matrices") == "1 matrix"
    assert format_count(2, "matrix", "matrices") == "2 matrices"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1_000, "1k"),
        (9_330, "9.33k"),
        (125_900, "126k"),
        (999_499, "999k"),
        (999_950, "1M"),
        (134_515_008, "135M"),
        (7_240_000_000, "7.24B"),
        (1_200_000_000_000, "1.2T"),
    ],
)
def test_short_counts_have_three_figures(count: int, text: str) -> None:
    assert format_short_count(count) == text


@pytest.mark.parametrize(
    ("tokens", "text"),
    [(0, "0"), (512, "512"), (1_023, "1023"), (1_024, "1k"), (8_191, "7k"), (8_192, "8k"), (2**20, "1M")],
)
def test_contexts_are_never_rounded_up(tokens: int, text: str) -> None:
    """A context shown as 8k holds that many tokens."""
    assert format_context(tokens) == text


@pytest.mark.parametrize(("share", "digits", "text"), [(0, 0, "0%"), (0.424, 0, "42%"), (0.9736, 1, "97.4%")])
def test_shares_are_percentages(share: float, digits: int, text: str) -> None:
    assert format_percent(share, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.04321, "0.0432"),
        (1_234.5, "1,234"),
        (0.000012, "1.2e-05"),
        (-2.345, "-2.35"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
        (math.nan, "not a number"),
    ],
)
def test_numbers_have_three_figures(value: float, text: str) -> None:
    """Those that are not finite too have a text: a perplexity may overflow."""
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"),
        (0.524, "0.52 s"),
        (0.999, "1.0 s"),
        (4.23, "4.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (125, "2 min 5 s"),
        (3_599, "59 min 59 s"),
        (3_599.6, "1 h"),
        (4_800, "1 h 20 min"),
        (90_000, "25 h"),
    ],
)
def test_durations_have_at_most_two_units(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "less than a minute"),
        (59.9, "less than a minute"),
        (60, "about 1 min"),
        (130, "about 2 min"),
        (1_400, "about 25 min"),
        (3_420, "about 55 min"),
        (3_599, "about 1 h"),
        (12_600, "about 3 h 30 min"),
        (86_400, "about 24 h"),
    ],
)
def test_estimates_are_no_finer_than_they_are_known(seconds: float, text: str) -> None:
    assert format_estimate(seconds) == text
