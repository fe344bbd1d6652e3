"""The kill campaign: work of all kinds goes on while faults of all kinds happen, and everything is accounted for."""
