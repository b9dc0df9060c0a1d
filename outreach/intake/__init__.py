"""Files that come in: mapping of columns, preview, refusals. Knows no feature."""
