"""How a job's process is held: plain, or in a bubblewrap sandbox."""
