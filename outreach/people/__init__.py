"""The people a city stays in touch with: one person, one record."""
