"""What Teal needs of the outside world: one Protocol a neighbour, their keys and their errors."""
