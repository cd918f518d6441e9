"""Teal's history in Azure Table Storage.

    store.py     the ports of ``rollout.ports.ports.Store``: which row holds what
    records.py   a table whose rows are values of one kind; changes that survive races
    columns.py   a value as columns, and back
    table.py     what all that needs of one table
    service.py   a table in Azure, or in Azurite, by Microsoft's client

Tables are made when they are first needed. Importing this package imports ``azure.data.tables``.
"""

from adapters.tables.service import connect, table_store

__all__ = ["connect", "table_store"]
