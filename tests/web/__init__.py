"""Tests of the plain HTTP beside GraphQL."""
