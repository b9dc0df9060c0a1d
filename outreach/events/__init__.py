"""Events from the first draft to the archive."""
