"""The values and rows that all rooms speak of, and how they are stored."""
