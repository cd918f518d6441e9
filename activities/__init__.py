"""Activities: thin functions that are safe to run twice, late, or again after a crash. Decisions are the core's.

Each takes the ports and an order, looks at the world as it is now, moves it one step nearer to the plan, and says how
the step stands. Those that write to Azure ask ``rights.obstacle`` first. None waits: recipes do.
"""
