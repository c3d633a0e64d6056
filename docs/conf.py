"""The manual: `python -m sphinx -W -b html docs build/html`, with the extra `docs` installed."""

from __future__ import annotations

import canal_fast

project = "canal_fast"
author = "The canal_fast developers"
copyright = "The canal_fast developers, MIT licence"
release = version = canal_fast.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["pictures/README.md"]
nitpicky = True  # a name that leads nowhere is a warning, and warnings are errors

myst_enable_extensions = ["deflist", "fieldlist", "colon_fence"]
myst_heading_anchors = 3  # [text](page.md#heading)

html_theme = "pydata_sphinx_theme"
html_title = "canal_fast"
html_static_path: list[str] = []
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
html_copy_source = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
