"""Plans of deployments: which VMs go, in which batches, and where a roll back leads."""
