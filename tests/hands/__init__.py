"""Tests of the child processes that do what would hold up the loop."""
