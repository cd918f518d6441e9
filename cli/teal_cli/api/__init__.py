"""Teal's API from here: who asks, how it is reached, what an answer means, and the models of what it says."""
