"""The country that a call goes to, which decides what its termination costs and what the caller is told.

Canada and the Caribbean share +1 with the United States and are countries of their own; Puerto Rico, the Virgin
Islands, Guam, American Samoa and the Northern Marianas are domestic.
"""

from typing import Final

from babel import Locale

from rating.numbers import US_REGIONS, Number

UNITED_STATES: Final = "US"
#: Satellite and international service numbers (+881, +883, +800 …), as the numbering data calls them.
NO_COUNTRY: Final = "001"


def destination(number: Number) -> str:
    """The country of a number in ISO 3166-1, such as "JM"; "US" for its states, territories and toll-free numbers.

    `NO_COUNTRY` for numbers that belong to none, which may be dearer than any country's. Kosovo has no code in
    the standard and is "XK". The country is where the number was issued, not where its holder is.
    """
    return UNITED_STATES if number.region in US_REGIONS else number.region


def country_name(country: str, language: str) -> str:
    """The country's name in a language ("en", "es"), from the CLDR, or its code where there is no name.

    Raises babel's UnknownLocaleError, or ValueError, for a language that is none.
    """
    if country == NO_COUNTRY:
        return country
    return str(Locale.parse(language).territories.get(country, country))
