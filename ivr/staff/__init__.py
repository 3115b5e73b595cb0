"""What staff change one thing at a time, each change with its author and a note, in one transaction."""
