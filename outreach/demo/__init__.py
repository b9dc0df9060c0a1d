"""The city of the demo."""
