"""Reads model folders whose weights another program has quantized."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlx_engine.errors import BrokenModel, UnsupportedModel
from mlx_engine.models.configuration.read import read_configuration
from mlx_engine.models.description.describe import describe
from mlx_engine.models.files import safetensors
from mlx_engine.models.files.weight_files import weight_files
from mlx_engine.quantize.mlx.decoded import Contents
from mlx_engine.quantize.mlx.source import ArrivingFiles, Shards
from mlx_engine.quantize.plan import companions
from mlx_engine.quantize.sources import bitnet, compressed, fp8, gptq, micro_scaled
from mlx_engine.quantize.sources.matrix import Matrix, Tensors

_part = re.compile(
    r"(?P<path>.+)(?:_bias|[._](?:qweight|qzeros|scales|g_idx|blocks|weight|weight_packed|weight_scale(?:_inv|_2)?"
    r"|weight_global_scale|weight_zero_point|weight_shape|input_scale|input_global_scale|activation_scale|[kv]_scale))"
)
"""A tensor of a quantized matrix: its numbers, its scales, or the scales of its activations."""
_fused = "gate_up_proj"
_types = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}


def read_settings(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of another program that has quantized the weights; empty if there is none.

    A field "quantization" means that MLX has quantized them.
    """
    if config.get("quantization"):
        return {}
    settings = config.get("quantization_config")
    return settings if isinstance(settings, dict) else {}


def read_folder(path: Path, arriving: ArrivingFiles | None = None) -> Contents | None:
    """Return the contents of a folder that another program has quantized; None for other folders.

    Raises:
        ModelError: the files are damaged, or quantized in a way that Facet does not support.
        StorageError: the files cannot be read.
    """
    description = describe(path, path.name)
    config = read_configuration(path)
    settings = read_settings(config)
    headers = {file: safetensors.read_header(file) for file in weight_files(path).files}
    shards = Shards(headers, arriving)
    try:
        matrices = _matrices(shards, settings) if settings else bitnet.ternary_matrices(shards)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        shards.close()
        raise BrokenModel(f"{path.name}: the quantized weights don't match config.json.") from error
    except BaseException:
        shards.close()
        raise
    if not matrices and not settings:
        shards.close()
        return None
    plain = _plain(shards, matrices)
    return Contents(
        path=path,
        config=_unquantized(config, _own_type(shards, matrices, plain)),
        tensors=shards,
        plain=plain,
        matrices=matrices,
        quantization=description.quantization if settings else "ternary",
        notes=tuple(_notes(str(config.get("model_type")), description.quantization, settings, matrices)),
        write_companions=lambda folder: companions.copy(path, folder),
    )


def _matrices(tensors: Tensors, settings: Mapping[str, Any]) -> dict[str, Matrix]:
    match settings.get("quant_method"):
        case "bitnet":
            return bitnet.matrices(tensors, settings)
        case "awq" | "gptq":
            return gptq.matrices(tensors, settings)
        case "fp8" | "fbgemm_fp8":
            return fp8.matrices(tensors, settings.get("weight_block_size"))
        case "compressed-tensors":
            return compressed.matrices(tensors, settings)
        case "mxfp4":
            return micro_scaled.gpt_oss(tensors)
        case "modelopt":
            return _modelopt(tensors, settings.get("quantization", settings))
        case other:
            raise UnsupportedModel(
                f"Facet does not support weights quantized by {other or 'an unnamed method'}. Look for the original "
                "model, or for one quantized by AWQ, GPTQ, compressed-tensors or MLX."
            )


def _modelopt(tensors: Tensors, settings: Mapping[str, Any]) -> dict[str, Matrix]:
    match settings.get("quant_algo"):
        case "NVFP4":
            return micro_scaled.nvfp4(tensors, weight="weight", global_scale="weight_scale_2")
        case "FP8":
            return fp8.matrices(tensors)
        case other:
            raise UnsupportedModel(f"Facet does not support ModelOpt's {other}, only its NVFP4 and FP8.")


def _plain(tensors: Tensors, matrices: Mapping[str, Matrix]) -> tuple[str, ...]:
    """Return the tensors that do not belong to a quantized matrix."""
    paths = {name.removesuffix(".weight") for name in matrices}
    paths |= {path.replace("gate_proj", _fused) for path in paths}

    def is_part(name: str) -> bool:
        match = _part.fullmatch(name)
        return name in matrices or (
            match is not None and (match["path"] in paths or name.endswith(("k_scale", "v_scale")))
        )

    return tuple(name for name in tensors.entries if not is_part(name))


def _own_type(tensors: Tensors, matrices: Mapping[str, Matrix], plain: tuple[str, ...]) -> str:
    """Return the type of the unquantized model: that of the scales of integers, else that of the plain tensors."""
    scales = [entry.dtype for name, entry in tensors.entries.items() if name.endswith((".scales", "weight_scale"))]
    candidates = scales if any(matrix.formats for matrix in matrices.values()) else []
    candidates = [dtype for dtype in candidates if dtype in _types] or [tensors.entries[name].dtype for name in plain]
    floats = [dtype for dtype in candidates if dtype in _types]
    return _types[max(set(floats), key=floats.count)] if floats else "bfloat16"


def _unquantized(config: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    result = {
        name: value for name, value in config.items() if name not in ("quantization_config", "compression_config")
    }
    if isinstance(text := result.get("text_config"), dict):
        result["text_config"] = {name: value for name, value in text.items() if name != "quantization_config"}
    return result | {"torch_dtype": dtype}


def _notes(
    architecture: str, quantization: str, settings: Mapping[str, Any], matrices: Mapping[str, Matrix]
) -> Iterator[str]:
    method = settings.get("quant_method", "bitnet")
    has_format = any(matrix.formats for matrix in matrices.values())
    if method == "bitnet":
        yield (
            "The weights have three values, which the recipe Lossless keeps in 2 bits. BitNet also rounds activations "
            "to 8 bits at run time; MLX does not, and is more accurate."
        )
        if settings.get("linear_class", "autobitlinear") != "autobitlinear":
            yield "Each matrix has a divisor; its inverse is rounded once, to the model's type."
    elif has_format:
        yield (
            f"This model is already quantized ({quantization}). The recipe Lossless keeps its weights; other recipes "
            "quantize them again, so start from the original if you have it."
        )
        if method in ("awq", "gptq"):
            yield "MLX stores each zero point multiplied by its scale, rounded to the type of the scales, as in mlx-lm."
    else:
        yield (
            f"This model is already quantized ({quantization}) in a format that MLX does not have. Its weights are "
            "unpacked, and quantized again if the recipe does so; start from the original if you have it."
        )
    if architecture == "bitnet":
        yield "The result runs only in Facet: mlx-lm's network for BitNet needs the packed weights and Metal."
