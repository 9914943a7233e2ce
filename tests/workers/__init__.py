"""Tests of the worker and its jobs."""
