"""`python read_back.py TREE FILE.pcapng REPORT.json`: does what Windows recorded hold every frame that its ledger tells of?

Reads with the oracle, which imports nothing of ours.
"""

import json
import sys
from pathlib import Path
