"""PINs are kept as keyed hashes."""

from ivr.facility.pins import PinKey

KEY = PinKey(bytes(range(32)))


def test_a_pin_matches_its_own_hash_only() -> None:
    stored = KEY.hash("jail", "1001", "2468")
    assert KEY.matches(stored, "jail", "1001", "2468")
    assert not KEY.matches(stored, "jail", "1001", "2469")
    assert not KEY.matches(stored, "jail", "1002", "2468")
    assert not KEY.matches(stored, "prison", "1001", "2468")
    assert not KEY.matches(None, "jail", "1001", "2468")


def test_digits_cannot_move_between_id_and_pin() -> None:
    assert KEY.hash("jail", "1001", "2468") != KEY.hash("jail", "10012", "468")


def test_another_key_gives_another_hash_and_another_name() -> None:
    other = PinKey(bytes(32))
    assert other.hash("jail", "1001", "2468") != KEY.hash("jail", "1001", "2468")
    assert other.id != KEY.id
