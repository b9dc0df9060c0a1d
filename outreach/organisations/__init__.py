"""The tree of organisations, the accounts of its people, their roles, and the installation itself."""
