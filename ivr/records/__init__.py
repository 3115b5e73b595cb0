"""What happened: sessions, calls, evidence, recordings. A sealed call is its call-detail record."""
