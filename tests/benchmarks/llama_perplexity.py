"""Compares Facet's perplexity and divergences with llama.cpp's `llama-perplexity`, on the same weights and text.

    python -m tests.benchmarks.llama_perplexity TEXT [--original GGUF] [--types Q8_0 Q4_0] [--chunks 6] [--tail 0]

`llama-perplexity` and `llama-quantize` must be on the PATH or set by `--perplexity` and `--quantize`. The original is
quantized to each type, and Facet imports these files without loss. With quantized weights, llama.cpp also rounds
activations to 8 bits; it therefore gets the same weights in F32, and an F32 KV cache. `--native` uses the quantized
files instead. Both read the text in chunks of 512 and score the second half, after a check that the tokens are equal.
llama.cpp ignores tokens to which the original gives less than e^-16 (`p_log_base > -16.f`), so the mean divergence
without these is reported as well, in float64 from the logits of both models.
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
_EXACT = ("-fa", "off", "-ctk", "f32", "-ctv", "f32")
"""Disables flash attention, which reads keys and values in 16 bits."""

# Name in the output of llama-perplexity, Facet's name, and the factor between the two.
_FIGURES = (
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
    """The two programs, and the folder for all files."""

    perplexity: str
    quantize: str
    folder: Path

    def quantized(self, source: Path, to: str) -> Path:
        """Convert all weights of `source` to the type `to`."""
        target = self.folder / f"{source.stem}-{to}.gguf"
        _run([self.quantize, "--allow-requantize", "--pure", str(source), str(target), to])
        return target

    def measure(self, model: Path, *options: str) -> str:
        """Return the output of llama-perplexity for `model`."""
        size = str(_convention.chunk_tokens)
        return _run([self.perplexity, "-m", str(model), "-c", size, "-b", size, *_EXACT, *options])


def main() -> None:
    """Measure with both programs and print the figures."""
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
    tools.measure(
        _for_llama(tools, options.original, options),
        *("-f", str(options.text), "--chunks", str(options.chunks), "--kl-divergence-base", str(base)),
    )
    original, corpus = _import(tools, options.original), read_corpus(options.text)
    tokens = _tokens(original, corpus, base, options.chunks)
    candidates = [_import(tools, file) for file in files.values()]
    results = _measure(original, candidates, corpus, tools.folder, options)
    for (name, file), candidate, fidelity in zip(files.items(), candidates, results, strict=True):
        model = _for_llama(tools, file, options)
        output = tools.measure(model, "--kl-divergence-base", str(base), "--kl-divergence")
        _report(f"{options.original.stem}, {name}", fidelity, output)
        print(f"{'mean_kl where p is at least e^-16':40}{_mean_kl_without_rare(original, candidate, tokens):12.6f}")


def _for_llama(tools: _Tools, file: Path, options: argparse.Namespace) -> Path:
    return file if options.native else tools.quantized(file, "F32")


def _import(tools: _Tools, file: Path) -> Path:
    target = tools.folder / f"{file.stem}-imported"
    _run(child_command("import-gguf", str(file), str(target)))
    return target


def _tokens(model: Path, corpus: Corpus, base: Path, chunks: int) -> NDArray[np.int32]:
    """Return Facet's tokens, and report whether llama.cpp reads the same.

    llama.cpp's file starts with a magic number, three numbers and the tokens.
    """
    tokenizer = open_model(model).tokenizer
    limit = chunks * _convention.chunk_tokens
    ours = tokenize(render_corpus(corpus, tokenizer, _convention, limit_tokens=limit), tokenizer).tokens
    theirs = np.fromfile(base, np.int32, ours.size, offset=8 + 3 * 4).reshape(ours.shape)
    # The file contains the text's first token of each chunk, which llama.cpp replaces by a start token when it reads.
    is_equal = (ours[:, 1:] == theirs[:, 1:]).all()
    print(f"{ours.size:,} tokens, {'equal' if is_equal else 'NOT equal'}; chunks start with {ours[:, 0].tolist()}")
    return ours


def _mean_kl_without_rare(original: Path, candidate: Path, tokens: NDArray[np.int32]) -> float:
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


def _measure(
    original: Path, candidates: Sequence[Path], corpus: Corpus, folder: Path, options: argparse.Namespace
) -> list[Fidelity]:
    record = RecordReference(
        id="original",
        model=str(original),
        convention=_convention,
        limit_tokens=options.chunks * _convention.chunk_tokens,
        tail_mass=options.tail,
    )
    fingerprints = Fingerprints(folder / "fingerprints.json")
    *_, recorded = record_reference(record, corpus, folder / "references", fingerprints)
    results = []
    for candidate in candidates:
        request = MeasureFidelity(id=candidate.name, model=str(candidate), reference_folder=str(recorded.store.folder))
        *_, measured = measure_fidelity(request, folder / "results")
        results.append(measured.so_far)
    return results


def _report(title: str, fidelity: Fidelity, output: str) -> None:
    print(f"\n{title:40}{'Facet':>12}{'llama.cpp':>12}{'difference':>12}")
    for their_name, our_name, factor in _FIGURES:
        match = re.search(rf"^{re.escape(their_name)}\s*:\s*(-?[\d.]+)", output, re.MULTILINE)
        if match is None:
            raise SystemExit(f"{their_name!r} is missing in the output of llama-perplexity:\n{output[-2000:]}")
        theirs, ours = float(match[1]) / factor, getattr(fidelity, our_name)
        print(f"{our_name:40}{ours:12.6f}{theirs:12.6f}{ours - theirs:+12.1e}")


def _run(command: list[str]) -> str:
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    if child.returncode:
        raise SystemExit(f"{command[0]} failed:\n{child.stderr[-2000:]}")
    return child.stdout + child.stderr


if __name__ == "__main__":
    main()
