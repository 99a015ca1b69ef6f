"""The window: what a person sees of Facet. Views over view-models over the domain; no MLX."""
