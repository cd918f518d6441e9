"""The Functions host on one machine: it indexes a function app, checks it as the real host does, and runs it."""
