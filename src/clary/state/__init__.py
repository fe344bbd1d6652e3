"""The database: tables, migrations, resources and leases."""
