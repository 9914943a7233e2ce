"""Checkers: one kind of rule each, and the engine that runs rules over files; pure functions over plain data."""
