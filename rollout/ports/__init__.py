"""Teal's needs of the outside world: one Protocol a neighbour, their keys and errors."""
