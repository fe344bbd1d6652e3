"""Studio's side of the edge: its pages, the sign-in of people, and the API for a browser that holds no keys."""
