"""Page of the models on this Mac."""
