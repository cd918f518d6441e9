"""Triggers without a request: timers, and Event Grid's notifications."""
