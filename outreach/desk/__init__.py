"""The first page of each role, and the pages that put the features together."""
