"""Amazon CloudWatch's metrics: what is put by name, and what jobs and endpoints measure."""
