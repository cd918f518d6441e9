"""The local platform: everything that Teal needs of Azure, on one machine.

Nothing here is deployed, and nothing that is deployed imports it.
"""
