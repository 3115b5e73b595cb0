"""The Debian mirror that this machine already uses, read from its own apt configuration."""

import re
from collections.abc import Iterator
from pathlib import Path

APT_FOLDER = Path("/etc/apt")
# Suites that only Debian's main archive has; `bookworm-security` and other vendors' suites are elsewhere.
SUITES_OF_THE_ARCHIVE = re.compile(
    r"(buster|bullseye|bookworm|trixie|forky|duke|sid|oldstable|stable|testing|unstable)"
    r"(-updates|-backports|-proposed-updates)?/?"
)


def debian_mirrors(apt_folder: Path = APT_FOLDER) -> list[str]:
    """Addresses of Debian's main archive, in the order apt would read them, without repetition."""
    texts = _texts(apt_folder)
    entries = [entry for name, text in texts for entry in _entries(name, text)]
    found = [
        uri.rstrip("/")
        for uris, suites, components in entries
        if "main" in components and any(SUITES_OF_THE_ARCHIVE.fullmatch(suite) for suite in suites)
        for uri in uris
        if uri.startswith(("http://", "https://", "file:/", "copy:/", "mirror+"))
    ]
    return list(dict.fromkeys(found))


Entry = tuple[list[str], list[str], list[str]]  # addresses, suites, components


def _texts(apt_folder: Path) -> list[tuple[str, str]]:
    parts = apt_folder / "sources.list.d"
    files = [apt_folder / "sources.list", *sorted(parts.glob("*.list")), *sorted(parts.glob("*.sources"))]
    return [(file.name, file.read_text(errors="replace")) for file in files if file.is_file()]


def _entries(name: str, text: str) -> Iterator[Entry]:
    yield from _stanzas(text) if name.endswith(".sources") else _lines(text)


def _lines(text: str) -> Iterator[Entry]:
    """One-line form: `deb [options] address suite component …` (sources.list(5))."""
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", " ", line.split("#", 1)[0]).split()
        if len(words) >= 4 and words[0] == "deb":
            yield [words[1]], [words[2]], words[3:]


def _stanzas(text: str) -> Iterator[Entry]:
    """Deb822 form: fields in stanzas divided by empty lines; `#` lines may stand anywhere."""
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", plain):
        pairs = re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)
        fields = {name.lower(): value.split() for name, value in pairs}
        if "deb" in fields.get("types", []) and fields.get("enabled", ["yes"])[0].lower() not in {
            "no",
            "false",
        }:
            yield fields.get("uris", []), fields.get("suites", []), fields.get("components", [])
