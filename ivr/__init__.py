"""The controller: what happens on a call, from the lifted phone to its record."""
