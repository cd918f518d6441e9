"""The world: Azure, Table Storage and the Durable client behind the ports of the core. Adapters decide nothing."""
