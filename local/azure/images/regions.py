"""Azure's regions: clients name them in short (``eastus2``) or as people read them (``East US 2``), Azure takes both.

Names: https://learn.microsoft.com/azure/reliability/regions-list
"""

from __future__ import annotations

_DISPLAY_NAMES = (
    *("Australia Central", "Australia Central 2", "Australia East", "Australia Southeast", "Austria East"),
    *("Belgium Central", "Brazil South", "Brazil Southeast", "Canada Central", "Canada East", "Central India"),
    *("Central US", "Chile Central", "East Asia", "East US", "East US 2", "France Central", "France South"),
    *("Germany North", "Germany West Central", "Indonesia Central", "Israel Central", "Italy North", "Japan East"),
    *("Japan West", "Jio India Central", "Jio India West", "Korea Central", "Korea South", "Malaysia West"),
    *("Mexico Central", "New Zealand North", "North Central US", "North Europe", "Norway East", "Norway West"),
    *("Poland Central", "Qatar Central", "South Africa North", "South Africa West", "South Central US", "South India"),
    *("Southeast Asia", "Spain Central", "Sweden Central", "Sweden South", "Switzerland North", "Switzerland West"),
    *("UAE Central", "UAE North", "UK South", "UK West", "West Central US", "West Europe", "West India", "West US"),
    *("West US 2", "West US 3"),
)


def short_name(region: str) -> str:
    """``East US 2`` and ``eastus2`` are the same region: the latter."""
    return region.replace(" ", "").lower()


_BY_SHORT_NAME = {short_name(name): name for name in _DISPLAY_NAMES}


def display_name(region: str) -> str:
    """The name that people read; of a region that is not known, what it was called."""
    return _BY_SHORT_NAME.get(short_name(region), region)
