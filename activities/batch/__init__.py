"""The steps of one batch: launch, judge, detach, delete."""
