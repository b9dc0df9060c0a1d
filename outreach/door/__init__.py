"""Who came in, when and how."""
