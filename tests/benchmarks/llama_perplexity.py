"""Facet's perplexity and divergences beside those of llama.cpp's `llama-perplexity`, on the same weights and text.

    python -m tests.benchmarks.llama_perplexity TEXT [--original GGUF] [--types Q8_0 Q4_0] [--chunks 6] [--tail 0]

`llama-perplexity` and `llama-quantize` have to be on the PATH, or be named (`--perplexity`, `--quantize`). The original
is quantized to each of the types; Facet imports those files, which loses nothing. With quantized weights llama.cpp
rounds what flows through the network to 8 bits as well, so it gets the same weights written out in F32, and keeps its
context in F32; `--native` gives it the quantized files as they are. Both read the text in chunks of 512 and score the
second half; that the tokens are the same is checked first. Told are the figures of both, and their differences.
llama.cpp leaves tokens out to which the original gives less than e^-16 (`p_log_base > -16.f`), so the mean divergence
without those is told too, in float64 from the logits of both.
"""

import argparse
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from mlx_engine.child_command import child_command
from mlx_engine.inference.load import open_model
from mlx_engine.measure.corpus.corpus import Corpus, read_corpus
from mlx_engine.measure.corpus.rendered_corpus import render_corpus
from mlx_engine.measure.corpus.sample import tokenize
from mlx_engine.measure.mlx.forward import logits
from mlx_engine.measure.mlx.measure import measure_fidelity, record_reference
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.messages import MeasureFidelity, RecordReference
from mlx_engine.measure.results.results import Fidelity
from mlx_engine.models.library.starter import starter_gguf

_convention = Convention()
_exactly = ("-fa", "off", "-ctk", "f32", "-ctv", "f32")
"""No flash attention, which reads keys and values in 16 bits."""

# What llama-perplexity calls a figure, what we call it, and how often it is the one in the other.
_figures = (
    ("Mean PPL(Q)", "perplexity", 1),
    ("Mean PPL(base)", "reference_perplexity", 1),
    ("Mean ln(PPL(Q)/PPL(base))", "log_perplexity_ratio", 1),
    ("Mean    KLD", "mean_kl", 1),
    ("Median  KLD", "median_kl", 1),
    ("90.0%   KLD", "p90_kl", 1),
    ("95.0%   KLD", "p95_kl", 1),
    ("99.0%   KLD", "p99_kl", 1),
    ("99.9%   KLD", "p999_kl", 1),
    ("Maximum KLD", "max_kl", 1),
    ("RMS Δp", "rms_probability_change", 100),
    ("Same top p", "top1_agreement", 100),
)


@dataclass(frozen=True, slots=True)
class _Tools:
    """The two programs, and the folder of all that is made."""

    perplexity: str
    quantize: str
    folder: Path

    def quantized(self, source: Path, to: str) -> Path:
        """Return `source` with all weights in the type `to`."""
        target = self.folder / f"{source.stem}-{to}.gguf"
        _run([self.quantize, "--allow-requantize", "--pure", str(source), str(target), to])
        return target

    def read(self, model: Path, *options: str) -> str:
        """Return what llama-perplexity tells of `model`."""
        size = str(_convention.chunk_tokens)
        return _run([self.perplexity, "-m", str(model), "-c", size, "-b", size, *_exactly, *options])


def main() -> None:
    """Measure both ways and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--original", type=Path, default=starter_gguf())
    parser.add_argument("--types", nargs="+", default=["Q8_0", "Q4_0"])
    parser.add_argument("--chunks", type=int, default=6)
    parser.add_argument("--tail", type=float, default=0.0)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--perplexity", default="llama-perplexity")
    parser.add_argument("--quantize", default="llama-quantize")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tools = _Tools(options.perplexity, options.quantize, Path(folder))
        _compare(tools, options)


def _compare(tools: _Tools, options: argparse.Namespace) -> None:
    files = {name: tools.quantized(options.original, name) for name in options.types}
    base = tools.folder / "base.kld"
    tools.read(
        _for_llama(tools, options.original, options),
        *("-f", str(options.text), "--chunks", str(options.chunks), "--kl-divergence-base", str(base)),
    )
    original, corpus = _imported(tools, options.original), read_corpus(options.text)
    tokens = _tokens(original, corpus, base, options.chunks)
    imported = [_imported(tools, file) for file in files.values()]
    ours = _ours(original, imported, corpus, tools.folder, options)
    for (name, file), candidate, found in zip(files.items(), imported, ours, strict=True):
        model = _for_llama(tools, file, options)
        theirs = tools.read(model, "--kl-divergence-base", str(base), "--kl-divergence")
        _tell(f"{options.original.stem}, {name}", found, theirs)
        print(f"{'mean_kl where p is at least e^-16':40}{_without_the_rarest(original, candidate, tokens):12.6f}")


def _for_llama(tools: _Tools, file: Path, options: argparse.Namespace) -> Path:
    return file if options.native else tools.quantized(file, "F32")


def _imported(tools: _Tools, file: Path) -> Path:
    target = tools.folder / f"{file.stem}-imported"
    _run(child_command("import-gguf", str(file), str(target)))
    return target


def _tokens(model: Path, corpus: Corpus, base: Path, chunks: int) -> NDArray[np.int32]:
    """Return our tokens, and say whether both read the same.

    The file of llama.cpp begins with a mark, three numbers and the tokens.
    """
    tokenizer = open_model(model).tokenizer
    limit = chunks * _convention.chunk_tokens
    own = tokenize(render_corpus(corpus, tokenizer, _convention, limit_tokens=limit), tokenizer).tokens
    theirs = np.fromfile(base, np.int32, own.size, offset=8 + 3 * 4).reshape(own.shape)
    # Start tokens take the places of others only while llama.cpp reads; the file has those.
    same = (own[:, 1:] == theirs[:, 1:]).all()
    print(f"{own.size:,} tokens, {'the same' if same else 'NOT the same'}; chunks begin with {own[:, 0].tolist()}")
    return own


def _without_the_rarest(original: Path, candidate: Path, tokens: NDArray[np.int32]) -> float:
    networks = [open_model(model).network for model in (original, candidate)]
    divergences = []
    for chunk in tokens:
        p, q = (_log_probabilities(network, chunk) for network in networks)
        divergences.append(np.where(p > -16, np.exp(p) * (p - q), 0).sum(axis=-1))
    return float(np.mean(divergences))


def _log_probabilities(network: Any, chunk: NDArray[np.int32]) -> NDArray[np.float64]:
    rows = np.array(logits(network, chunk, _convention.first_scored).astype(mx.float32)).astype(np.float64)
    rows -= rows.max(axis=-1, keepdims=True)
    return rows - np.log(np.exp(rows).sum(axis=-1, keepdims=True))


def _ours(
    original: Path, candidates: Sequence[Path], corpus: Corpus, folder: Path, options: argparse.Namespace
) -> list[Fidelity]:
    asked = RecordReference(
        id="original",
        model=str(original),
        convention=_convention,
        limit_tokens=options.chunks * _convention.chunk_tokens,
        tail_mass=options.tail,
    )
    *_, kept = record_reference(asked, corpus, folder / "references", Fingerprints(folder / "known.json"))
    found = []
    for candidate in candidates:
        request = MeasureFidelity(id=candidate.name, model=str(candidate), reference_folder=str(kept.store.folder))
        *_, measured = measure_fidelity(request, folder / "results")
        found.append(measured.so_far)
    return found


def _tell(title: str, ours: Fidelity, told: str) -> None:
    print(f"\n{title:40}{'Facet':>12}{'llama.cpp':>12}{'difference':>12}")
    for name, own, times in _figures:
        match = re.search(rf"^{re.escape(name)}\s*:\s*(-?[\d.]+)", told, re.MULTILINE)
        if match is None:
            raise SystemExit(f"llama-perplexity does not tell {name!r}:\n{told[-2000:]}")
        theirs, value = float(match[1]) / times, getattr(ours, own)
        print(f"{own:40}{value:12.6f}{theirs:12.6f}{value - theirs:+12.1e}")


def _run(command: list[str]) -> str:
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode:
        raise SystemExit(f"{command[0]} failed:\n{child.stderr[-2000:]}")
    return child.stdout + child.stderr


if __name__ == "__main__":
    main()
