"""The stories, by what becomes of the call."""
