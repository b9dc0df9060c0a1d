"""What every page stands on; knows the web, no feature."""
