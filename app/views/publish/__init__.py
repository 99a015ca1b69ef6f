"""The page for publishing a conversion."""
