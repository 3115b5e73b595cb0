"""PINs are kept as keyed hashes; the key lives outside the database, so a stolen database alone tells no PIN."""

import hmac
from dataclasses import dataclass
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class PinKey:
    """The secret of the keyed hash, and the id that is stored beside each hash made with it."""

    secret: bytes

    @property
    def id(self) -> str:
        """A public name of this key; tells nothing of the secret."""
        return sha256(b"pin key id\0" + self.secret).hexdigest()[:16]

    def hash(self, facility_id: str, inmate_id: str, pin: str) -> str:
        """HMAC-SHA256 over facility, inmate ID and PIN (RFC 2104), as hexadecimal."""
        message = "\0".join((facility_id, inmate_id, pin)).encode()
        return hmac.new(self.secret, message, sha256).hexdigest()

    def card_hash(self, facility_id: str, pin: str) -> bytes:
        """The same over a facility and the PIN of a calling card; no inmate's PIN has this hash."""
        message = "\0".join(("calling card", facility_id, pin)).encode()
        return hmac.digest(self.secret, message, "sha256")

    def matches(self, stored: str | None, facility_id: str, inmate_id: str, pin: str) -> bool:
        """Compare in constant time; an unknown inmate costs the same as a wrong PIN."""
        computed = self.hash(facility_id, inmate_id, pin)
        return hmac.compare_digest(computed, stored or "0" * len(computed)) and stored is not None
