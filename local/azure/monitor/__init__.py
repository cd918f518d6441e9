"""Azure Monitor: autoscale."""
