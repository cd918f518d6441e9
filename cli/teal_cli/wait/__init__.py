"""Starting a deployment and waiting for it: what a wait is for, when it is over, and what a second run finds."""
