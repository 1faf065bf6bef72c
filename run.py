"""`python run.py` right after `pip install -r requirements.txt`: the whole service on port 8001."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))

from medai.__main__ import main

if __name__ == "__main__":
    sys.argv[1:] = sys.argv[1:] or ["run"]
    main()
