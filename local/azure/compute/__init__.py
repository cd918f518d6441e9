"""Scale sets and their VMs."""
