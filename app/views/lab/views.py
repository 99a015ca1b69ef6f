"""The views of a study as data: the segments above them are made from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from app.viewmodels.lab import Lab
from app.views.lab.table import StudyTable
from app.views.theme import Theme


@dataclass(frozen=True, slots=True)
class View:
    """`make` builds it when it is first wanted; it follows the lab by itself."""

    title: str
    make: Callable[[Lab, Theme], QWidget]


VIEWS: Sequence[View] = (View("Table", StudyTable),)
