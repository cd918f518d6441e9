"""Holds on what changes a set by itself, and how they end."""
