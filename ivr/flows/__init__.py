"""Dialogues, one module each. A script's lines are what callers hear, top to bottom."""
