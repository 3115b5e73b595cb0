"""An Asterisk like one that was found on the machine: a program that runs without walls around it."""

import platform
from pathlib import Path

from dialplan.install import Installation, provide
from tests.telephony.stack import installation

# Our configuration leaves the place of Asterisk's modules to the program; this one was built for another place.
_PROGRAM = """\
#!/bin/sh
with_modules() {{
    [ -e "$1.here" ] || sed 's|^\\[directories\\]|&\\nastmoddir => {libraries}/asterisk/modules|' "$1" > "$1.here"
    echo "$1.here"
}}
case $1 in
-f) set -- -f -C "$(with_modules "$3")" ;;
-C) configuration=$(with_modules "$2"); shift 2; set -- -C "$configuration" "$@" ;;
esac
exec {loader} --library-path {libraries} {root}/usr/sbin/asterisk "$@"
"""


def without_walls(folder: Path) -> Installation:
    """The built Asterisk, started by its own root's loader, and named as an operator names a program."""
    root = installation().sandbox.root
    if root is None:
        return installation()  # then every story is told on an Asterisk of the machine
    program = folder / "bin" / "asterisk"
    program.parent.mkdir()
    loader = next((root / "usr").glob("lib*/ld-linux-*.so.*"))
    libraries = root / "usr" / "lib" / f"{platform.machine()}-linux-gnu"
    program.write_text(_PROGRAM.format(root=root, loader=loader, libraries=libraries))
    program.chmod(0o700)
    (folder / "share").mkdir()
    (folder / "share" / "asterisk").symlink_to(root / "usr" / "share" / "asterisk")
    found = provide({"IVR_ASTERISK": str(program)})
    assert found.sandbox.root is None
    return found
