"""The rules of the product, in plain Python."""
