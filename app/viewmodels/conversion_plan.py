"""A conversion that was chosen, and what stands against it before it is begun."""

import re
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from app.viewmodels.amounts import bytes_in_words
from app.viewmodels.recipe_cards import RecipeCard
from mlx_engine.models.description import ModelDescription

_reserve_bytes = 1_000_000_000
"""What stays free on the disk."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`problem` keeps it from starting, and `other_name` may help."""

    card: RecipeCard
    name: str
    problem: str = ""
    other_name: str = ""


def planned(card: RecipeCard, name: str, owner_folder: Path, taken: Collection[str]) -> Plan:
    """Return the plan to make a model of that name in the folder; `taken` are names that others will have."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}", name) or name.endswith(".partial"):
        return Plan(
            card, name, "A name has letters, figures, dots, dashes and underscores, and begins with the former."
        )
    if name.casefold() in taken or (owner_folder / name).exists():
        return Plan(card, name, f"There is a model called {name} already.", _free_name(name, owner_folder, taken))
    return Plan(card, name)


def disk_problem(needed_bytes: int, folder: Path) -> str:
    """Return why the disk has no room for so much, in a sentence; "" if it has."""
    free = free_bytes(folder)
    if needed_bytes + _reserve_bytes <= free:
        return ""
    return (
        f"{bytes_in_words(needed_bytes)} are needed, and {bytes_in_words(_reserve_bytes)} should stay free; "
        f"there are {bytes_in_words(free)}. Choose fewer or smaller recipes, or make room."
    )


def free_bytes(folder: Path) -> int:
    """Return what is free on the disk of the folder, which need not be there yet."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(there).free


def warnings(model: ModelDescription, quantization: str) -> list[str]:
    """Return what a person should know before, in sentences; `quantization` is that of the source, "" if none."""
    told = []
    if quantization:
        told.append(
            f"This model is quantized already ({quantization}). Quantizing it again adds a second loss to the first: "
            "the original gives better results."
        )
    if model.vision == "present":
        told.append("This model can see. Facet keeps the text model only: the result will not.")
    return told


def _free_name(name: str, folder: Path, taken: Collection[str]) -> str:
    numbered = (f"{name}-{number}" for number in range(2, 1000))
    return next(one for one in numbered if one.casefold() not in taken and not (folder / one).exists())
