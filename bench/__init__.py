"""How fast it is, measured as a city runs it: see docs/performance.md."""
