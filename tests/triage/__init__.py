"""Triage, through the API of a running installation."""
