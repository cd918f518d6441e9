"""Starts without a request: published images and schedules."""
