"""Real telephones on a played telephone network: for `ivr run`, `ivr demo` and the telephony tests."""
