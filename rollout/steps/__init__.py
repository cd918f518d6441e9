"""Decisions from one look at the set: launch, drain, retire, and what is left."""
