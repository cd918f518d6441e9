"""The simulated Azure: an ARM endpoint at the wire, whose virtual machines boot, fail and disappear over time."""
