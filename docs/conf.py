"""The manual: `python -m sphinx -W -b html docs build/html`, with the extra `docs` installed."""

from __future__ import annotations

import sys
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
sys.path = [folder for folder in sys.path if Path(folder).resolve() != TREE]  # whose sources hide what is installed
sys.path.insert(0, str(TREE / "docs"))  # generated.py

import canal_fast  # noqa: E402

project = "canal_fast"
author = "The canal_fast developers"
copyright = "The canal_fast developers, MIT licence"
release = version = canal_fast.__version__

extensions = [
    "generated",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns: list[str] = []
smartquotes = False  # --duration has two hyphens
default_role = "py:obj"
autodoc_typehints = "none"  # numpydoc has them in words
autodoc_member_order = "bysource"
autosummary_generate = False
numpydoc_show_class_members = False
nitpicky = True  # a name that leads nowhere is a warning, and warnings are errors

myst_enable_extensions = ["deflist", "fieldlist", "colon_fence"]
myst_heading_anchors = 3  # [text](page.md#heading)

nitpick_ignore_regex = [
    ("py:obj", "(?s).*"),  # `word` of a docstring: a link where there is such a name
    ("py:.*", r"can\..*"),  # python-can's
]
suppress_warnings = ["ref.python"]  # `word` that several have

linkcheck_ignore = ["FILE:.*"]  # of a docstring, which is no link

html_theme = "pydata_sphinx_theme"
html_title = "canal_fast"
html_static_path = ["_static"]
html_css_files = ["manual.css"]
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"measurements": [], "glossary": []}
html_show_sourcelink = False
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
