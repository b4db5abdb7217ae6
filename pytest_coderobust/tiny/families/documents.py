"""Functions of modules that work on text: os.path, json, string, textwrap, html."""

from __future__ import annotations

from pytest_coderobust.tiny.family import Choice, choose, family, number, option, string

DOCUMENTS = (
    family(
        "joined_path",
        "name",
        "import os.path\nreturn os.path.join($code)",
        """
        the path of the file {a} {op}
        the path that leads to {a} {op}
        ! {make} the path of the file {a} {op}
        * where {a} is to be found on disk {op}
        """,
        string("folder", ("data", "src", "home", "docs", "tmp", "logs", "out", "lib", "img")),
        choose(
            Choice(
                "in",
                {"op": ("in the folder {folder}", "inside the directory {folder}")},
                {"code": "$folder, $a"},
            ),
            *(
                Choice(
                    f"sub:{sub}",
                    {"op": (f"in the folder {sub!r} inside the folder {{folder}}",)},
                    {"code": f"$folder, {sub!r}, $a"},
                )
                for sub in ("new", "old", "raw", "main", "test", "user", "cache")
            ),
        ),
        api="os.path.join",
    ),
    family(
        "path_part",
        "path",
        "import os.path\nreturn $op",
        """
        {op} of the path {a}
        {op} that the path {a} has
        ! {return} {op} of the path {a}
        * as to the path {a}, {op}
        """,
        choose(
            Choice(
                "base",
                {"op": ("the file name", "the last component")},
                {"op": "os.path.basename($a)"},
                api="os.path.basename",
            ),
            Choice(
                "folder",
                {"op": ("the folder", "the directory")},
                {"op": "os.path.dirname($a)"},
                api="os.path.dirname",
            ),
            Choice(
                "extension",
                {"op": ("the file extension", "the extension with its dot")},
                {"op": "os.path.splitext($a)[1]"},
                api="os.path.splitext",
            ),
            Choice(
                "stem",
                {"op": ("everything but the file extension", "all before the extension")},
                {"op": "os.path.splitext($a)[0]"},
                api="os.path.splitext",
            ),
        ),
    ),
    family(
        "as_json",
        "table",
        "import json\nreturn json.dumps($what$op)",
        """
        {what} as a JSON string{op}
        the JSON text of {what}{op}
        ! write {what} as JSON{op}
        * a string that holds {what} in JSON{op}
        """,
        choose(
            Choice("all", {"what": ("{A}", "the whole of {A}")}, {"what": "$a"}),
            Choice(
                "keys",
                {"what": ("the list of keys of {A}", "all keys of {A}")},
                {"what": "list($a)"},
            ),
            Choice(
                "values",
                {"what": ("the list of values of {A}", "all values of {A}")},
                {"what": "list($a.values())"},
            ),
            Choice(
                "items",
                {"what": ("the pairs of key and value in {A}",)},
                {"what": "list($a.items())"},
            ),
            name="what",
        ),
        choose(
            Choice("plain", {"op": ("", "")}, {"op": ""}),
            Choice(
                "sorted",
                {"op": (" with sorted keys", ", keys in alphabetical {order}")},
                {"op": ", sort_keys=True"},
            ),
            *(
                Choice(
                    f"indent:{k}",
                    {"op": (f" with an indent of {k}", f", indented by {k}")},
                    {"op": f", indent={k}"},
                )
                for k in range(1, 7)
            ),
        ),
        api="json.dumps",
    ),
    family(
        "capitals",
        "sentence",
        "import string\nreturn string.capwords($what$op)",
        """
        {what} with {each} word capitalised{op}
        {what} with a capital at the start of {each} word{op}
        ! capitalise {each} word of {what}{op}
        * {what} where words look like names{op}
        """,
        choose(
            Choice("all", {"what": ("{A}",)}, {"what": "$a"}),
            Choice(
                "stripped", {"what": ("{A} backwards", "the reverse of {A}")}, {"what": "$a[::-1]"}
            ),
            *(
                Choice(
                    f"cut:{k}",
                    {"what": (f"the first {k} characters of {{A}}",)},
                    {"what": f"$a[:{k}]"},
                )
                for k in range(3, 13)
            ),
            name="what",
        ),
        choose(
            Choice("plain", {"op": ("", "")}, {"op": ""}),
            *(
                Choice(
                    f"sep:{s}",
                    {"op": (f", where {s!r} separates words",)},
                    {"op": f", {s!r}"},
                    (f"red{s}fox{s}a",),
                )
                for s in ("-", "_", ",", ":", "/")
            ),
        ),
        api="string.capwords",
    ),
    family(
        "lines",
        "sentence",
        "import textwrap\nreturn textwrap.$op($a, $k)",
        """
        {op} of {A}, at most {k} characters wide
        {A} broken into {op}, none wider than {k} characters
        ! wrap {A} at {k} characters and {return} {op}
        * {op} into which {A} falls on a page {k} characters wide
        """,
        number("k", range(8, 31)),
        choose(
            option("list", "wrap", "a list of lines", "lines, as a list", api="textwrap.wrap"),
            option(
                "text", "fill", "one string of lines", "lines, as one string", api="textwrap.fill"
            ),
        ),
    ),
    family(
        "indented",
        "sentence",
        "import textwrap\nreturn textwrap.indent($what, $mark)",
        """
        {what} with {mark} before {each} line
        {what} where {each} line is prefixed with {mark}
        ! put {mark} before {each} line of {what}
        * {what}, the lines of which all begin with {mark}
        """,
        string("mark", ("> ", "# ", "- ", "* ", "| ", "+ ", ".. ")),
        choose(
            Choice("all", {"what": ("{A}",)}, {"what": "$a"}),
            Choice("upper", {"what": ("an upper case copy of {A}",)}, {"what": "$a.upper()"}),
            Choice("lower", {"what": ("a lower case copy of {A}",)}, {"what": "$a.lower()"}),
            Choice("reverse", {"what": ("the reverse of {A}",)}, {"what": "$a[::-1]"}),
            name="what",
        ),
        api="textwrap.indent",
    ),
    family(
        "escaped",
        "markup",
        "import html\nreturn html.escape($what)",
        """
        {what} made safe for a web page
        ! escape {what} for use in a web page
        ! make {what} safe to show in a web page
        * what to write in a web page so that {what} is shown
        """,
        choose(
            Choice("all", {"what": ("{A}",)}, {"what": "$a"}),
            Choice("upper", {"what": ("an upper case copy of {A}",)}, {"what": "$a.upper()"}),
            Choice("reverse", {"what": ("the reverse of {A}",)}, {"what": "$a[::-1]"}),
            *(
                Choice(
                    f"cut:{k}",
                    {"what": (f"the first {k} characters of {{A}}",)},
                    {"what": f"$a[:{k}]"},
                )
                for k in range(2, 12)
            ),
            *(
                Choice(
                    f"wrap:{s}",
                    {"what": (f"{{A}} between two copies of {s!r}",)},
                    {"what": f"{s!r} + $a + {s!r}"},
                )
                for s in ("<", ">", "&", "*", "--")
            ),
            name="what",
        ),
        api="html.escape",
    ),
)
