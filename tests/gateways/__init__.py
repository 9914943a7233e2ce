"""Tests of the ways to outside systems."""
