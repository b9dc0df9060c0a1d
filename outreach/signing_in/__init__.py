"""Proving who one is: staff by password or one-time link, attendees by a code."""
