"""Waiting: for a person, and for the deployment's turn."""
