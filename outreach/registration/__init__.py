"""Places, registrations, waiting lists and tickets."""
