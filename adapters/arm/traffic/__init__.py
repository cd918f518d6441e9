"""Load balancers, application gateways and network interfaces, over the compute client's own pipeline.

azure-mgmt-network costs a third of a second and tens of megabytes of a cold start, for eight requests whose bodies are
read as JSON anyway.
"""

from __future__ import annotations

from adapters.arm.traffic.traffic import ArmTraffic

__all__ = ["ArmTraffic"]
