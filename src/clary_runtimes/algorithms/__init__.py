"""The built-in algorithms; every folder has the same rooms: hyperparameters, metrics, train, serve."""
