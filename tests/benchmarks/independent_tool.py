"""Compares Facet's fidelity figures with those of mlx-quant-fidelity, an independent public tool, on the same tokens.

    python -m tests.benchmarks.independent_tool ORIGINAL CANDIDATE [--tokens 2048]

Both arguments are folders. The tool's functions compute KL, flips and losses from the full logits of both models. The
tool is not one of Facet's dependencies and must be installed separately (tested with 0.10.0).
"""

import argparse
import tempfile
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_quant_fidelity.metrics.flip import top_token_flips
from mlx_quant_fidelity.metrics.kl import kl_divergence
from mlx_quant_fidelity.metrics.perplexity import token_nll

from mlx_engine.inference.load import Model, open_model
from mlx_engine.measure.corpus.corpus import builtin_corpus
from mlx_engine.measure.corpus.rendered_corpus import render_corpus
from mlx_engine.measure.corpus.sample import TokenSample, tokenize
from mlx_engine.measure.mlx.measure import measure_fidelity, record_reference
from mlx_engine.measure.results.convention import Convention
from mlx_engine.measure.results.fingerprints import Fingerprints
from mlx_engine.measure.results.messages import MeasureFidelity, RecordReference

_convention = Convention()


def main() -> None:
    """Measure with both tools and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("original", type=Path)
    parser.add_argument("candidate", type=Path)
    parser.add_argument("--tokens", type=int, default=2048)
    options = parser.parse_args()
    ours = _ours(options.original, options.candidate, options.tokens)
    theirs = _theirs(options.original, options.candidate, options.tokens)
    for name in ours:
        print(
            f"{name:12} ours {ours[name]:.6f}  theirs {theirs[name]:.6f}  difference {ours[name] - theirs[name]:+.1e}"
        )


def _ours(original: Path, candidate: Path, tokens: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        record = RecordReference(id="original", model=str(original), convention=_convention, limit_tokens=tokens)
        fingerprints = Fingerprints(root / "fingerprints.json")
        *_, recorded = record_reference(record, builtin_corpus(), root / "references", fingerprints)
        request = MeasureFidelity(id="candidate", model=str(candidate), reference_folder=str(recorded.store.folder))
        *_, measured = measure_fidelity(request, root / "results")
    result = measured.so_far
    return {"mean KL": result.mean_kl, "p99 KL": result.p99_kl, "flips": result.flips, "perplexity": result.perplexity}


def _theirs(original: Path, candidate: Path, tokens: int) -> dict[str, float]:
    models = _load(original), _load(candidate)
    tokenizer = models[0].tokenizer
    sample: TokenSample = tokenize(
        render_corpus(builtin_corpus(), tokenizer, _convention, limit_tokens=tokens), tokenizer
    )
    kl, flips, losses = [], [], []
    for chunk in sample.tokens:
        p, q = (model.network(mx.array(chunk)[None])[0, _convention.first_scored : -1] for model in models)
        kl.append(np.array(kl_divergence(p, q)))
        flips.append(np.array(top_token_flips(p, q)))
        losses.append(np.array(token_nll(q, mx.array(chunk[_convention.first_scored + 1 :]))))
    return {
        "mean KL": float(np.mean(kl)),
        "p99 KL": float(np.percentile(kl, 99)),
        "flips": float(np.sum(flips)),
        "perplexity": float(np.exp(np.mean(losses))),
    }


def _load(folder: Path) -> Model:
    model = open_model(folder)
    for _ in model.read_weights():
        pass
    return model


if __name__ == "__main__":
    main()
