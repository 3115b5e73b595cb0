"""What the controllers of several nodes tell each other."""
