"""`python run.py` right after `pip install -r requirements.txt`: the whole service on port 8001."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "src"))

from medai.__main__ import main  # noqa: E402 - found only after the line above

if __name__ == "__main__":
    sys.argv[1:] = sys.argv[1:] or ["run"]
    main()
