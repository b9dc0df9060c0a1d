"""The pages of the tree and its accounts (desk), and the city's colour (public)."""
