"""A function for each route: parse, call, render."""
