"""Zep's memory API in the reference model: what it remembers, what a client can do, and sequences of that."""
