"""MLflow tracking servers: real MLflow servers, run as long as they are wanted."""
