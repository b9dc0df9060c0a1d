"""The public face: what one can come to."""
