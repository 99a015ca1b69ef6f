"""Pre-tokenizers of byte-level BPE by the names in GGUF files: how a text is split before merging.

The patterns and the defaults follow llama.cpp, src/llama-vocab.cpp (September 2026), in Oniguruma's syntax, which
`tokenizers` uses. Each pattern splits the pieces of the one before it; text between two matches is a piece as well.
"""

from dataclasses import dataclass
from typing import Any

BYTE_LEVEL: dict[str, Any] = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


@dataclass(frozen=True, slots=True)
class PreTokenizer:
    """The settings that belong to the name of a pre-tokenizer."""

    patterns: tuple[str, ...]
    normalizer: dict[str, Any] | None = None
    ignores_merges: bool = False
    """A piece that is in the vocabulary becomes one token even if no merges produce it."""
    adds_bos: bool = False
    """The default if the file does not define `add_bos_token`."""

    @property
    def settings(self) -> dict[str, Any]:
        """`pre_tokenizer` of `tokenizer.json`."""
        splits = [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
            for pattern in self.patterns
        ]
        return {"type": "Sequence", "pretokenizers": [*splits, {**BYTE_LEVEL, "use_regex": False}]}


_digit = r"\p{N}"
_three_digits = r"\p{N}{1,3}"
_contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_spaces = r"\s+(?!\S)|\s+"
_line_ends = r"\s*[\r\n]+|" + _spaces
_gpt2_words = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|" + _spaces
_ascii_mark = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"
_kana_and_ideographs = r"[\x{4e00}-\x{9fa5}\x{3040}-\x{309f}\x{30a0}-\x{30ff}]+"
_ideographs_and_hangul = r"[\x{4e00}-\x{9fa5}\x{800}-\x{4e00}\x{ac00}-\x{d7ff}]+"
# DeepSeek's list of letters with case. It is older than \p{LC} of today and lacks, for example, mathematical letters.
_cased = (
    r"A-Za-z\x{b5}\x{c0}-\x{d6}\x{d8}-\x{f6}\x{f8}-\x{1ba}\x{1bc}-\x{1bf}\x{1c4}-\x{293}\x{295}-\x{2af}"
    r"\x{370}-\x{373}\x{376}\x{377}\x{37b}-\x{37d}\x{37f}\x{386}\x{388}-\x{38a}\x{38c}\x{38e}-\x{3a1}"
    r"\x{3a3}-\x{3f5}\x{3f7}-\x{481}\x{48a}-\x{52f}\x{531}-\x{556}\x{10a0}-\x{10c5}\x{13a0}-\x{13f5}"
    r"\x{13f8}-\x{13fd}\x{1c90}-\x{1cba}\x{1cbd}-\x{1cbf}\x{1d00}-\x{1d2b}\x{1d6b}-\x{1d77}\x{1d79}-\x{1d9a}"
    r"\x{1e00}-\x{1f15}\x{1f18}-\x{1f1d}\x{1f20}-\x{1f45}\x{1f48}-\x{1f4d}\x{1f50}-\x{1f57}\x{1f59}\x{1f5b}"
    r"\x{1f5d}\x{1f5f}-\x{1f7d}\x{1f80}-\x{1fb4}\x{1fb6}-\x{1fbc}\x{1fbe}\x{1fc2}-\x{1fc4}\x{1fc6}-\x{1fcc}"
    r"\x{1fd0}-\x{1fd3}\x{1fd6}-\x{1fdb}\x{1fe0}-\x{1fec}\x{1ff2}-\x{1ff4}\x{1ff6}-\x{1ffc}\x{2102}\x{2107}"
    r"\x{210a}-\x{2113}\x{2115}\x{2119}-\x{211d}\x{2124}\x{2126}\x{2128}\x{212a}-\x{212d}\x{212f}-\x{2134}\x{2139}"
    r"\x{213c}-\x{213f}\x{2145}-\x{2149}\x{214e}\x{2183}\x{2184}\x{2c00}-\x{2c7b}\x{2c7e}-\x{2ce4}"
    r"\x{2ceb}-\x{2cee}\x{2cf2}\x{2cf3}\x{a640}-\x{a66d}\x{a680}-\x{a69b}\x{a722}-\x{a76f}\x{a771}-\x{a787}"
    r"\x{a78b}-\x{a78e}\x{ab70}-\x{abbf}\x{fb00}-\x{fb06}\x{fb13}-\x{fb17}\x{ff21}-\x{ff3a}\x{ff41}-\x{ff5a}"
    r"\x{10400}-\x{1044f}\x{104b0}-\x{104d3}\x{104d8}-\x{104fb}\x{10c80}-\x{10cb2}\x{10cc0}-\x{10cf2}"
    r"\x{118a0}-\x{118df}\x{1e900}-\x{1e943}"
)


def _cl100k(digits: str, *, letters: str = r"\p{L}", other: str = r"\p{L}\p{N}") -> str:
    """Return OpenAI's cl100k pattern, with numbers split by `digits`, and `other` left out of punctuation."""
    return rf"{_contraction}|[^\r\n\p{{L}}\p{{N}}]?[{letters}]+|{digits}| ?[^\s{other}]+[\r\n]*|" + _line_ends


def _o200k(digits: str, *, contraction: str, without: str = "", line_end: str = r"[\r\n/]*") -> str:
    """Return OpenAI's o200k pattern: a word ends before an upper-case letter. `without` excludes characters."""
    upper = rf"[\p{{Lu}}\p{{Lt}}\p{{Lm}}\p{{Lo}}\p{{M}}{without}]"
    lower = rf"[\p{{Ll}}\p{{Lm}}\p{{Lo}}\p{{M}}{without}]"
    before = r"[^\r\n\p{L}\p{N}]?"
    words = f"{before}{upper}*{lower}+{contraction}|{before}{upper}+{lower}*{contraction}"
    return rf"{words}|{digits}| ?[^\s\p{{L}}\p{{N}}]+{line_end}|" + _line_ends


_nfc = {"type": "NFC"}
_gpt2 = PreTokenizer((_gpt2_words,))
_single_digits = PreTokenizer((_digit, _gpt2_words))
_llama3 = PreTokenizer((_cl100k(_three_digits),), ignores_merges=True, adds_bos=True)
_three_digit_words = PreTokenizer((_cl100k(_three_digits),))
_qwen2 = PreTokenizer((_cl100k(_digit),), normalizer=_nfc)
_one_digit_words = PreTokenizer((_cl100k(_digit),))
_deepseek3 = PreTokenizer(
    (
        _three_digits,
        _kana_and_ideographs,
        rf"{_ascii_mark}[A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+| ?[\p{{P}}\p{{S}}]+[\r\n]*|"
        + _line_ends,
    )
)
_gpt4o = PreTokenizer((_o200k(_three_digits, contraction=f"{_contraction}?"),))
_bailing = PreTokenizer(
    (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|" + _spaces,)
)

PRE_TOKENIZERS = {
    "default": PreTokenizer((r"[\p{P}\$\+<=>\^~\|]+", _gpt2_words, r"\p{N}+", "[0-9][0-9][0-9]")),
    **dict.fromkeys(("gpt-2", "phi-2", "gigachat", "a.x-4.0", "mellum", "mpt", "olmo", "jais", "trillion"), _gpt2),
    **dict.fromkeys(("exaone4", "granite-docling"), _gpt2),
    **dict.fromkeys(
        ("smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"), _single_digits
    ),
    "mellum2": _single_digits,
    **dict.fromkeys(
        ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"), _llama3
    ),
    **dict.fromkeys(("dbrx", "smaug-bpe", "glm4", "chatglm-bpe"), _three_digit_words),
    **dict.fromkeys(("qwen2", "deepseek-r1-qwen", "kormo", "megrez"), _qwen2),
    **dict.fromkeys(("stablelm2", "hunyuan", "solar-open", "grok-2"), _one_digit_words),
    "qwen35": PreTokenizer(
        (_cl100k(_digit, letters=r"\p{L}\p{M}", other=r"\p{L}\p{M}\p{N}"),),
        normalizer=_nfc,
    ),
    **dict.fromkeys(("deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"), _deepseek3),
    "deepseek-llm": PreTokenizer(
        (
            r"[\r\n]",
            rf"\s?[{_cased}]+",
            r"\s?[!-/:-~\x{ff01}-\x{ff0f}\x{ff1a}-\x{ff5e}\x{2018}-\x{201f}\x{3000}-\x{3002}]+",
            r"\s+$",
            _ideographs_and_hangul,
            r"\p{N}+",
        )
    ),
    "deepseek-coder": PreTokenizer((r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _ideographs_and_hangul, _digit)),
    "falcon": PreTokenizer((r"[\p{P}\$\+<=>\^~\|`]+", _gpt2_words, "[0-9][0-9][0-9]")),
    "tekken": PreTokenizer((_o200k(_digit, contraction=""),), ignores_merges=True, adds_bos=True),
    **dict.fromkeys(("gpt-4o", "llama4", "kanana2", "minimax-m2"), _gpt4o),
    "kimi-k2": PreTokenizer(
        (
            r"\p{Han}+|"
            + _o200k(_three_digits, contraction=f"{_contraction}?", without=r"&&[^\p{Han}]", line_end=r"[\r\n]*"),
        )
    ),
    "superbpe": PreTokenizer((r"\p{N}+", r"(?=(\d{3})+(?!\d))")),
    **dict.fromkeys(("bailingmoe", "bailingmoe2", "llada-moe"), _bailing),
    "seed-coder": PreTokenizer(
        (rf"{_contraction}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{_line_ends}",)
    ),
    "exaone-moe": PreTokenizer(
        (
            rf"{_contraction}|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}"
            rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]?|\s*[\r\n]|{_spaces}",
        )
    ),
}
"""Every supported name. Names that llama.cpp splits in its own code (afmoe, viking) are missing."""
