"""AWS Security Token Service: who one is, and temporary credentials."""
