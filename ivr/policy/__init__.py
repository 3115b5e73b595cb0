"""Call controls: facts in, decision out. Nothing here reads a clock, a socket or a database."""
