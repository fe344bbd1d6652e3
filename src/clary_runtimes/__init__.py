"""What runs inside jobs: container contract, algorithms, frameworks and serving."""
