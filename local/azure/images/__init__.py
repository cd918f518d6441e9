"""Galleries, image versions and the marketplace."""
