"""``Search`` over all types of resources."""
