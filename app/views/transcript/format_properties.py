"""Custom properties in the formats of a QTextDocument."""

from PySide6.QtGui import QTextFormat

FORMULA_OBJECT = QTextFormat.ObjectTypes.UserObject.value + 1

_FIRST = QTextFormat.Property.UserProperty.value

LATEX = _FIRST + 1
"""Source of a formula."""
DISPLAY = _FIRST + 2
"""True for a display formula, which has its own line."""
INLINE_CODE = _FIRST + 3
"""True for inline code."""
NESTING = _FIRST + 4
"""`Block.nesting` of a text block."""
RULE = _FIRST + 5
"""True for a horizontal rule."""
