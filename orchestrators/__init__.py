"""Recipes: what a deployment does, one step a line. They branch only on recorded values; activities decide and act."""
