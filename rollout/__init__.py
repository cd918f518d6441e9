"""The core: what a deployment is and every decision it takes. Standard library only; no I/O, no clock, no logging."""
