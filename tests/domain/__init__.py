"""The rules of the product, which need no server."""
