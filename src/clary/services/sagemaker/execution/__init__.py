"""How any job runs: what training, processing and later kinds share."""
