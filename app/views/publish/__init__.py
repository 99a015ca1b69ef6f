"""The page from which a conversion is published."""
