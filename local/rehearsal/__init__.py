"""``make rehearse SET=my-set.json``: deployments to a real scale set, played on simulated copies of it."""
