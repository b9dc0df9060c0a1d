"""Outreach (雁来): events, liaison and requests of a city's talent office."""
