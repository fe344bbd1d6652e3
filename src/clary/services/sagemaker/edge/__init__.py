"""Edge Manager: fleets of devices, and plans to deploy models to them."""
