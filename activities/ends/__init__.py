"""The steps of the ends: finished, failed, stopped, rolled back, lost."""
