"""The window of Facet: views over view-models over the domain. It never imports MLX."""
