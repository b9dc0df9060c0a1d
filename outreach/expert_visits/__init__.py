"""Visits of experts (百名博士进x): so far only the checking of lists of needs and of experts."""
