"""The page and the sidebar entry of background jobs."""
