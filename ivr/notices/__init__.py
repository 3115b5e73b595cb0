"""Notices: what was written to the outbox is put into words and sent by SMS and e-mail, each once."""
