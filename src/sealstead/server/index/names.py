"""What a new project may be called (reference behaviour of the public index; PEP 503, PEP 508).

Rules, in this order:
  1. ASCII letters, digits, `.`, `_`, `-`, beginning and ending with a letter or digit;
  2. not the name of a module of the standard library, present or past: `import x` would not say which;
  3. not on the list of names that people type by mistake;
  4. not confusable with a project that exists: equal without `. _ -` and with l and i as 1, o as 0.
The fourth needs the database and is `find_confusable`; a deleted project's name stays taken by its row.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable

from packaging.utils import NormalizedName, canonicalize_name

from sealstead.server.index.models import Project
from sealstead.server.index.upload_errors import ProjectNameError

PROJECT_NAME = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE | re.ASCII)
MAX_NAME_LENGTH = 200
"""The column's width. The reference has no limit; the longest name there is 214 characters of spam."""

_PAST_STANDARD_LIBRARY = frozenset(
    [
        "aifc",
        "al",
        "anydbm",
        "asynchat",
        "asyncore",
        "audioop",
        "basehttpserver",
        "bastion",
        "bdb",
        "binhex",
        "bsddb",
        "cgi",
        "cgihttpserver",
        "cgitb",
        "chunk",
        "commands",
        "compiler",
        "configparser",
        "cookie",
        "cookielib",
        "copy-reg",
        "cpickle",
        "crypt",
        "cstringio",
        "dbhash",
        "dircache",
        "distutils",
        "dl",
        "docxmlrpcserver",
        "dumbdbm",
        "dummy-thread",
        "dummy-threading",
        "dummythread",
        "exceptions",
        "fl",
        "fm",
        "formatter",
        "fpectl",
        "fpformat",
        "future-builtins",
        "gdbm",
        "gl",
        "hotshot",
        "htmlentitydefs",
        "htmllib",
        "htmlparser",
        "httplib",
        "ihooks",
        "imageop",
        "imgfile",
        "imghdr",
        "imp",
        "imputil",
        "jpeg",
        "lib2to3",
        "macpath",
        "macurl2path",
        "mailcap",
        "markupbase",
        "md5",
        "mhlib",
        "mimetools",
        "mimewriter",
        "mimify",
        "msilib",
        "multifile",
        "mutex",
        "new",
        "nis",
        "nntplib",
        "ossaudiodev",
        "parser",
        "pipes",
        "popen2",
        "posixfile",
        "queue",
        "repr",
        "rexec",
        "rfc822",
        "robotparser",
        "sets",
        "sgmllib",
        "sha",
        "simplehttpserver",
        "simplexmlrpcserver",
        "smtpd",
        "sndhdr",
        "socketserver",
        "spwd",
        "statvfs",
        "stringio",
        "stringold",
        "strop",
        "sunaudio",
        "sunau",
        "sunaudiodev",
        "symbol",
        "telnetlib",
        "test",
        "thread",
        "tkinter",
        "toaiff",
        "tkcolorchooser",
        "tkcommondialog",
        "tkfiledialog",
        "tkfont",
        "tkmessagebox",
        "tksimpledialog",
        "urllib2",
        "urlparse",
        "user",
        "userdict",
        "userlist",
        "userstring",
        "uu",
        "videoreader",
        "whichdb",
        "winreg",
        "xdrlib",
        "xmllib",
        "xmlrpclib",
    ]
)
"""Modules that older versions had; `sys` knows those of the running one."""

STANDARD_LIBRARY = frozenset(
    canonicalize_name(name.strip("_-.")) for name in (*sys.stdlib_module_names, *_PAST_STANDARD_LIBRARY)
)
PROHIBITED = frozenset(
    {"requirements-txt", "rrequirements-txt", "requirements", "setup-py", "pyproject-toml"}
)
"""`pip install requirements.txt` is a typing error and must not run a stranger's code."""

_CONFUSABLE = str.maketrans({"l": "1", "i": "1", "o": "0", ".": None, "_": None, "-": None})


def normalize_name(name: str) -> NormalizedName:
    """PEP 503. Any text is accepted; only valid names give a useful result."""
    return canonicalize_name(name)


def confusable_name(name: str) -> str:
    """What is left of a name when the differences that readers miss are taken away."""
    return name.lower().translate(_CONFUSABLE)


def is_project_name(name: str) -> bool:
    return len(name) <= MAX_NAME_LENGTH and PROJECT_NAME.fullmatch(name) is not None


def check_new_name(name: str, *, prohibited: Iterable[str] = ()) -> None:
    """Return if `name`, valid by rule 1, may become a project by rules 2 and 3.

    Raises:
        ProjectNameError: with the reference's text.
    """
    normalized = normalize_name(name)
    if normalized in STANDARD_LIBRARY:
        raise ProjectNameError(
            f"The name {name!r} isn't allowed (conflict with Python Standard Library module name)."
        )
    if normalized in PROHIBITED or normalized in {canonicalize_name(other) for other in prohibited}:
        raise ProjectNameError(f"The name {name!r} isn't allowed.")


def find_confusable(name: str) -> Project | None:
    """The other project, a deleted one included, that rule 4 says `name` is too similar to.

    A project of the very name is no other: somebody may have made it since the caller looked.
    """
    similar = Project.objects.filter(confusable_name=confusable_name(name))
    return similar.exclude(normalized_name=normalize_name(name)).first()
