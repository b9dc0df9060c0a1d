"""The pages of signing in: of staff (desk) and of attendees (public)."""
