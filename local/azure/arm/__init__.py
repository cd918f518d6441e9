"""Resource Manager at the wire: requests, operations, limits, faults, and the state behind them."""
