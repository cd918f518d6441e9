"""Who has a set, who follows whom, what was lost, and what is forgotten."""
