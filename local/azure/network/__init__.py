"""Interfaces, load balancers and application gateways."""
