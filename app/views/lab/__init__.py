"""The page of studies: what quantizations cost, measured."""
