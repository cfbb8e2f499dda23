"""Keys by the shell, and who comes in by them."""
