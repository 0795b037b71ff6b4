"""Privacy: what is kept for how long, and what is forgotten."""
