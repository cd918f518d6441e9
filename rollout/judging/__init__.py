"""Whether VMs, batches and the group are well."""
