"""Pages of requests: the desk, and the public face."""
