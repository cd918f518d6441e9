"""What doors and activities do alike, over the ports: each function here is asked by both, so that both do the same."""
