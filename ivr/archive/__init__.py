"""Recordings at rest: compressed without loss, encrypted each with a key of its own, opened only for a reason."""
