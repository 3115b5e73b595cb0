"""Facilities, their stations, inmates, numbers and schedules: tables, loading from TOML, look-ups."""
