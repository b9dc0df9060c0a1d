"""Requests (诉求): from what somebody asked for to an answer they have heard."""
