"""Miners: one family of conventions each, a list of them, and the core that makes candidates of what they count."""
