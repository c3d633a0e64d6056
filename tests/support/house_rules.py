"""The rules of the house, by folder: each takes a tree and gives what breaks it, in words.

Floors: headers (0), declarations (1), glue (2), facade (3); imports go down. Wings: the same words on every floor, each
with what it may use. An exception is one row with its reason.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Wing:
    """What a wing may use besides itself: in C, and in Python."""

    c: str = "ground"
    python: str = "ground"


WINGS = {
    "ground": Wing("", ""),
    "system": Wing(),
    "drivers": Wing("ground system", "ground bittiming"),
    "live": Wing("ground system drivers", "ground drivers bittiming"),
    "wire": Wing(),
    "bittiming": Wing(),
    "dataframes": Wing(""),
    "logs": Wing(python="ground dataframes"),
    "signals": Wing(python="ground logs"),
    "simulation": Wing("ground wire bittiming", "ground wire bittiming"),
    "waveform": Wing("ground wire bittiming", "ground wire bittiming"),
    "analysis": Wing("ground wire", "ground wire logs signals"),
    "logger": Wing("ground system live logs", "ground drivers live logs signals analysis"),
    "report": Wing("", "ground dataframes logs signals analysis"),
    "doctor": Wing("", "ground drivers live"),
    "plot": Wing("", "ground"),
}
SHIPPED = "ground system drivers wire logs simulation"  # what the CANAL drivers that we ship may include
MODULES = {"checksum": "ground wire bittiming", "physical": "ground wire bittiming"}  # faces of wings, in the hall
FACES = {"cli", "python_can", "testing", "conftest", "__init__", "__main__"}  # may use everything
EVERYBODY = {"plot"}  # every wing's Python may use it
GROUND_DECLARATIONS = {"base", "frame", "canal", "arrow"}  # capi/*.pxd of the ground; every other has its wing's name
STANDARD = {"stddef.h", "stdint.h", "string.h", "stdlib.h", "limits.h", "inttypes.h", "stdio.h", "time.h", "errno.h"}
STANDARD |= {"stdarg.h", "math.h", "ctype.h", "float.h", "stdatomic.h", "atomic"}
COMPILER = {"intrin.h", "immintrin.h", "cpuid.h", "arm_neon.h"}
LINES, COLUMNS = 300, 120

EXCEPTIONS: dict[tuple[str, str], str] = {}  # (rule, how the complaint begins): why it stands

Rule = Callable[[Path], Iterator[str]]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def broken(name: str, tree: Path) -> list[str]:
    """What breaks the rule in `tree`, exceptions left out."""
    excused = tuple(text for of, text in EXCEPTIONS if of == name)
    return [text for text in RULES[name](tree) if not (excused and text.startswith(excused))]


def headers(tree: Path) -> list[Path]:
    return sorted((tree / "include" / "canal_fast").rglob("*.h"))


def wing_of_header(tree: Path, header: Path) -> str:
    """The wing of a header by its folder; a header in the hall is of the ground."""
    folder = header.relative_to(tree / "include" / "canal_fast").parts[0]
    return "ground" if folder.endswith(".h") else folder


def is_door(header: Path) -> bool:
    return header.parent.name == "canal_fast" and header.stem in WINGS


def includes(path: Path) -> list[tuple[str, str]]:
    return re.findall(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", path.read_text(), re.M)


def facade(tree: Path) -> list[Path]:
    return sorted((tree / "canal_fast").rglob("*.py"))


def glue(tree: Path) -> list[Path]:
    return sorted((tree / "canal_fast").rglob("_*.pyx"))


def parts_of(tree: Path, path: Path) -> tuple[str, ...]:
    return path.relative_to(tree).with_suffix("").parts


def wing_of_module(parts: tuple[str, ...]) -> str:
    """("canal_fast", "wire", "codec") -> "wire"; what stands in the hall is of the ground, or a face."""
    first = parts[1] if len(parts) > 1 else "__init__"
    return first if first in FACES or first in MODULES or first in WINGS else "ground"


def imports(tree: Path, path: Path, top_level: bool) -> Iterator[tuple[str, bool]]:
    """(module, whether the import is relative) of each import."""
    here = parts_of(tree, path)[:-1]
    parsed = ast.parse(path.read_text())
    for node in parsed.body if top_level else ast.walk(parsed):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            yield ".".join([*base, node.module] if node.module else base), True
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", False


def named(path: Path, verb: str) -> list[str]:
    """Modules that the `cimport` or `import` statements of a .pyx or .pxd name; those of capi also by themselves."""
    found = re.findall(rf"^\s*(?:from\s+(\S+)\s+{verb}\s+(.*)|{verb}\s+(\S+))", path.read_text(), re.M)
    modules = []
    for package, names, module in found:
        if package == "canal_fast.capi":
            modules += [f"{package}.{name}" for name in re.findall(r"\w+", names)]
        else:
            modules.append(package or module)
    return modules


def of_capi(name: str) -> str:
    return "ground" if name in GROUND_DECLARATIONS else name


@rule
def folders_are_wings(tree: Path) -> Iterator[str]:
    """Floors have the same folders."""
    for floor, more in (("include/canal_fast", set[str]()), ("canal_fast", FACES | {"capi"})):
        for folder in sorted((tree / floor).iterdir()):
            if folder.is_dir() and folder.name not in WINGS.keys() | more | {"__pycache__"}:
                yield f"{floor}/{folder.name} is the name of no wing"


@rule
def headers_include_down(tree: Path) -> Iterator[str]:
    known = headers(tree)
    for header in known:
        name, wing = header.relative_to(tree).as_posix(), wing_of_header(tree, header)
        for quote, text in includes(header) if wing in WINGS else []:
            below = (header.parent / text).resolve()
            if quote == "<":
                if text not in STANDARD | COMPILER and wing != "system":
                    yield f"{name} includes <{text}>, which is not the C library's"
            elif below not in known:
                yield f"{name} includes {text}, which is not there"
            elif is_door(header):
                if wing_of_header(tree, below) != header.stem:
                    yield f"{name} is a door and includes {text}"
            elif is_door(below):
                yield f"{name} includes the door {text}"
            elif wing_of_header(tree, below) not in {wing, *WINGS[wing].c.split()}:
                yield f"{name} of {wing} includes {text}"


@rule
def doors_only_include(tree: Path) -> Iterator[str]:
    for header in filter(is_door, headers(tree)):
        code = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.S).splitlines()
        other = [line for line in code if line.strip() and not re.match(r"#(include|ifndef|define|endif)\b", line)]
        if other:
            yield f"{header.relative_to(tree).as_posix()} has more than includes: {other[0]}"


@rule
def headers_have_no_cycle(tree: Path) -> Iterator[str]:
    below = {h: [(h.parent / text).resolve() for quote, text in includes(h) if quote == '"'] for h in headers(tree)}
    done: set[Path] = set()

    def visit(header: Path, path: tuple[Path, ...]) -> Iterator[str]:
        if header in path:
            yield " -> ".join(p.name for p in (*path, header))
        elif header not in done:
            for other in below.get(header, []):
                yield from visit(other, (*path, header))
            done.add(header)

    for header in below:
        yield from visit(header, ())


@rule
def callers_do_not_know_the_driver(tree: Path) -> Iterator[str]:
    """Inside live/: what a caller holds includes nothing of what runs the driver; port_thread.h alone knows both."""
    below = {h: [(h.parent / text).resolve() for quote, text in includes(h) if quote == '"'] for h in headers(tree)}
    live = tree.resolve() / "include" / "canal_fast" / "live"
    for header in below:
        if header.parent != live or not re.match(r"port|periodic", header.stem) or header.stem == "port_thread":
            continue
        reached, todo = set[Path](), [header]
        while todo:
            for other in below.get(todo.pop(), []):
                if other not in reached:
                    reached.add(other)
                    todo.append(other)
        for other in sorted(reached):
            runs = other.parent == live and re.match(r"reader|driver|host$|port_thread", other.stem)
            if runs or wing_of_header(tree.resolve(), other) == "drivers":
                yield f"{header.relative_to(tree).as_posix()} knows {other.relative_to(tree.resolve()).as_posix()}"


@rule
def shipped_drivers_include_down(tree: Path) -> Iterator[str]:
    ours = (tree / "include" / "canal_fast").resolve()
    for source in sorted((tree / "canal_fast" / "drivers").rglob("*.[ch]")):
        if source.with_suffix(".pyx").is_file():
            continue  # what Cython made
        for quote, text in includes(source):
            below = (source.parent / text).resolve()
            inside = quote == '"' and ours in below.parents
            allowed = not inside or (not is_door(below) and wing_of_header(tree, below) in SHIPPED.split())
            if text.startswith(("Python", "numpy")) or not allowed:
                yield f"{source.relative_to(tree).as_posix()} includes {text}"


@rule
def declarations_mirror_their_wing(tree: Path) -> Iterator[str]:
    for path in sorted((tree / "canal_fast" / "capi").glob("[!_]*.pxd")):
        name, wing = path.relative_to(tree).as_posix(), of_capi(path.stem)
        if wing not in WINGS:
            yield f"{name} has the name of no wing"
            continue
        for text in re.findall(r'cdef extern from "canal_fast/([^"]+)"', path.read_text()):
            if (text.split("/")[0] if "/" in text else "ground") != wing:
                yield f"{name} declares {text}"
        for module in named(path, "cimport"):
            other = of_capi(module.rpartition(".")[2])
            if module.startswith("canal_fast") and other not in {wing, *WINGS[wing].c.split()}:
                yield f"{name} cimports {module}"


@rule
def glue_goes_down(tree: Path) -> Iterator[str]:
    for path in glue(tree):
        name, wing = path.relative_to(tree).as_posix(), wing_of_module(parts_of(tree, path))
        below = {wing, *WINGS[wing].c.split()} if wing in WINGS else set()
        for module in named(path, "cimport"):
            if not module.startswith("canal_fast"):
                allowed = module.partition(".")[0] in {"cpython", "libc", "cython"}
            else:
                allowed = module in {"canal_fast._gate", f"canal_fast.{wing}.glue"} or (
                    module.startswith("canal_fast.capi.") and of_capi(module.rpartition(".")[2]) in below
                )
            if not allowed:
                yield f"{name} cimports {module}"
        for module in named(path, "import"):
            if module.startswith((".", "canal_fast")) and module not in {"canal_fast.errors", "canal_fast._gate"}:
                yield f"{name} imports {module}"


WHOLE_IN_GLUE = {  # where one call does so little that the Python around it was most of the work
    "canal_fast/live/_receiving.pyx": "Channel.receive and receive_into of one frame",
    "canal_fast/wire/_checksum.pyx": "crc15, crc17, crc21 of a few bytes",
}


@rule
def glue_has_no_public_names(tree: Path) -> Iterator[str]:
    """Glue checks, calls and translates; what people call, and its documentation, is Python above it."""
    for path in glue(tree):
        name = path.relative_to(tree).as_posix()
        if name not in WHOLE_IN_GLUE and (
            found := re.search(r"^ +(Parameters|Returns|Raises)\n +---", path.read_text(), re.M)
        ):
            yield f"{name} has a public docstring: {found[1]}"


@rule
def facade_goes_down(tree: Path) -> Iterator[str]:
    for path in facade(tree):
        name, wing = path.relative_to(tree).as_posix(), wing_of_module(parts_of(tree, path))
        if wing in FACES or name.startswith("canal_fast/capi/"):
            continue
        below = {wing, *(MODULES[wing] if wing in MODULES else WINGS[wing].python).split()} | EVERYBODY
        for module, relative in imports(tree, path, top_level=False):
            other = wing_of_module(tuple(module.split(".")))
            if not module.startswith("canal_fast"):
                continue
            if module == "canal_fast":
                yield f"{name} imports from the root"
            elif other not in below:
                yield f"{name} imports {module}"
            elif relative != (other == wing and wing in WINGS and wing != "ground"):
                yield f"{name} imports {module} {'relatively' if relative else 'absolutely'}"


@rule
def facade_needs_only_numpy(tree: Path) -> Iterator[str]:
    """Whatever else is an extra, imported in the function that needs it; who loads a plugin has imported itself."""
    for path in facade(tree):
        name, plugin = path.relative_to(tree).as_posix(), "python_can" in path.parts
        host = ["can"] if plugin else ["pytest"] if path.stem in {"testing", "conftest"} else []
        for module, _ in imports(tree, path, top_level=True):
            root = module.partition(".")[0]
            allowed = root in {"numpy", "canal_fast", *host} | sys.stdlib_module_names
            if not allowed or (module.startswith("canal_fast.python_can") and not plugin):
                yield f"{name} imports {module}"


@rule
def errors_import_nothing_of_ours(tree: Path) -> Iterator[str]:
    for module, _ in imports(tree, tree / "canal_fast" / "errors.py", top_level=False):
        if module.startswith("canal_fast"):
            yield f"errors.py imports {module}"


def code_lines(path: Path) -> int:
    """Lines that are no comment, docstring, blank or row of a table."""
    text = path.read_text()
    if path.suffix in {".h", ".c"}:
        rows = re.compile(r"\s*(\{.*\},?|X\(.*\)\s*\\?|.*\\)$")
        lines = re.sub(r"/\*.*?\*/", "", text, flags=re.S).splitlines()
        return sum(bool(line.strip()) and not rows.match(line) for line in lines)
    if path.suffix == ".pyx":
        lines = re.sub(r'"""(?s:.*?)"""', "", text).splitlines()
        return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in lines)
    blank = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    counted: set[int] = set()
    before = tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        docstring = token.type == tokenize.STRING and before in blank
        if token.type not in blank and not docstring:
            counted.update(range(token.start[0], token.end[0] + 1))
        before = token.type
    return len(counted)


def sources(tree: Path, *folders: str) -> Iterator[Path]:
    """Our own texts: not what Cython made, not data."""
    for folder in folders:
        for path in sorted((tree / folder).rglob("*")):
            ours = path.suffix in {".h", ".c", ".pyx", ".pxd", ".py"} and "data" not in path.parts
            if ours and not (path.suffix == ".c" and path.with_suffix(".pyx").is_file()):
                yield path


@rule
def small_files(tree: Path) -> Iterator[str]:
    for path in sources(tree, "include", "canal_fast"):
        if path.suffix != ".pxd" and (count := code_lines(path)) > LINES:
            yield f"{path.relative_to(tree).as_posix()} has {count} lines, allowed {LINES}"


@rule
def short_lines(tree: Path) -> Iterator[str]:
    for path in sources(tree, "include", "canal_fast", "tests", "benchmarks"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > COLUMNS:
                yield f"{path.relative_to(tree).as_posix()}:{number} has {len(line)} columns, allowed {COLUMNS}"


@rule
def comments_name_headers_that_are_there(tree: Path) -> Iterator[str]:
    known = {path.name for path in sources(tree, "include", "canal_fast") if path.suffix == ".h"}
    for path in sources(tree, "include", "canal_fast"):
        comment = r"/\*.*?\*/" if path.suffix in {".h", ".c"} else r'""".*?"""'
        for text in re.findall(comment, path.read_text(), re.S) if path.suffix in {".h", ".c", ".pyx"} else []:
            for name in re.findall(r"(?<![\w/<])[a-z_0-9]+\.h\b", text):
                if name not in known:
                    yield f"{path.relative_to(tree).as_posix()} speaks of {name}"


COMMENT = re.compile(r"/\*.*?\*/", re.S)
ORDERED = re.compile(r"cf_atomic(?:_u\d\d)?_(load_acquire|store_release|fence)\(([^,()]*)")
ARGUED = {"load_acquire": "[Aa]cquire|as in cf_", "store_release": "[Rr]elease|for the acquire", "fence": "with the"}
DECLARED = re.compile(r"cf_atomic_u\d\d \*?(\w+);\s+/\*[^/]*\b(?:alone|acquire|release)\b")


@rule
def orders_are_argued(tree: Path) -> Iterator[str]:
    """Threads without a lock: an acquire, release or fence says what it pairs with, up to four lines above or at the
    head of its function, or where what it orders is declared, if only that it orders nothing ("a flag alone")."""
    texts = {path: path.read_text() for path in sorted((tree / "include/canal_fast/live").glob("*.h"))}
    declared = {name for text in texts.values() for name in DECLARED.findall(text)}
    for path, text in texts.items():
        for found in ORDERED.finditer(text):
            begin = text.rfind("\n\n", 0, found.start()) + 2
            above = text[begin : text.index("\n", found.start())].split("\n")[-5:]
            head = COMMENT.match(text, begin)
            said = " ".join([*COMMENT.findall("\n".join(above)), head[0] if head else ""])
            if not re.search(rf"\b({ARGUED[found[1]]})", said) and not declared & set(
                re.findall(r"\w+", found[2])[-1:]
            ):
                line = text.count("\n", 0, found.start()) + 1
                yield f"{path.relative_to(tree).as_posix()}:{line}: {found[1]} of {found[2]} without its argument"
