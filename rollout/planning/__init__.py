"""What a deployment is to do: which VMs go, in which batches, and what it goes back to."""
