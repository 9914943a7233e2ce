"""Hands: child processes that do what would hold up the loop, each within limits of time and memory.

Whoever needs them asks `runtime.hands` (`pool`); what they do stands in modules that are quick to import (`child`).
"""
