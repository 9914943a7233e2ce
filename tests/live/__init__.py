"""Live feeds: from a snapshot on every event once, in order, to everybody who may see it."""
