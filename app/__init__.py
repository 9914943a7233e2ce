"""Tenet: the coding conventions of a repository, extracted with evidence, validated by people, enforced."""

__version__ = "0.1.0"
