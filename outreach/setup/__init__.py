"""The first set-up of a city."""
