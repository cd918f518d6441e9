"""Objections to a deployment, found before anything is changed."""
