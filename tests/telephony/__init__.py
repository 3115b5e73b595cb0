"""Real telephones on a real Asterisk: what callers hear, what is written, what is paid, what breaks and heals."""

import pytest

pytest.register_assert_rewrite("tests.telephony.stories", "tests.telephony.acting", "tests.telephony.scene")
