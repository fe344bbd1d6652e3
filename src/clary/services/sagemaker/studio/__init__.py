"""What Studio keeps: code repositories, lifecycle configurations, image configurations."""
