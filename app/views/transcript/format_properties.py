"""What Facet writes into the formats of a QTextDocument beside Qt's own properties."""

from PySide6.QtGui import QTextFormat

FORMULA_OBJECT = QTextFormat.ObjectTypes.UserObject.value + 1

_FIRST = QTextFormat.Property.UserProperty.value

LATEX = _FIRST + 1
"""Of a formula: its source."""
DISPLAY = _FIRST + 2
"""Of a formula: whether it stands on a line of its own."""
INLINE_CODE = _FIRST + 3
"""Of characters: they are code."""
NESTING = _FIRST + 4
"""Of a block: `Block.nesting`."""
RULE = _FIRST + 5
"""Of a block: it is a line across the page."""
