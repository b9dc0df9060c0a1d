"""Keeping in touch (联系): pairings and visits."""
