"""What an answer tells of forwarding."""

import pytest

from ivr.policy.forwarding import Forwarded, forwarded

NUMBER = "+12175550102"


@pytest.mark.parametrize(
    ("headers", "seen"),
    [
        ({}, None),
        ({"diversion": "<sip:12175550102@carrier>;reason=unconditional"}, Forwarded.DIVERTED),
        ({"history": "<sip:+12175550102@carrier>;index=1"}, None),
        (
            {"history": "<sip:+12175550102@a>;index=1", "later_history": "<sip:+13125550000@a>;index=1.1"},
            Forwarded.DIVERTED,
        ),
        ({"history": "<sip:a@a>;index=1, <sip:b@a>;index=1.1"}, Forwarded.DIVERTED),
        ({"asserted": "<sip:+13125550000@carrier>"}, Forwarded.OTHER_NUMBER),
        ({"asserted": '"Somebody" <tel:+13125550000>'}, Forwarded.OTHER_NUMBER),
        ({"asserted": "<sip:+12175550102@carrier;user=phone>"}, None),
        ({"asserted": "<sip:2175550102@carrier>"}, None),
        ({"asserted": "<sip:01112175550102@carrier>"}, None),
        ({"asserted": "<sip:s@carrier>"}, None),
        ({"asserted": "<sip:102@carrier>"}, None),  # an extension of the number's own exchange
        (
            {"diversion": "<sip:x@y>", "asserted": "<sip:+13125550000@carrier>"},
            Forwarded.DIVERTED,
        ),
    ],
    ids=str,
)
def test_what_the_headers_say(headers: dict[str, str], seen: Forwarded | None) -> None:
    assert forwarded(NUMBER, **headers) is seen
