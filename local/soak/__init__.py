"""The soak: random deployments in simulated worlds, many and fast, each held to every promise.

One number decides everything about a run, the world, what is asked, who interferes and what breaks, so that a run that
breaks a promise can be played again: ``python -m local.soak --seed 17 --faulty``.
"""
