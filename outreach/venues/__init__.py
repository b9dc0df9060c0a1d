"""Places where events happen (场馆)."""
