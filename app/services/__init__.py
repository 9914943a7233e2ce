"""Decisions, by verb: the only code that writes what people decide; it never commits and never touches the network."""
