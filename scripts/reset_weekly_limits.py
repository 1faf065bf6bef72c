"""Old cron tables call this: `medai limits reset --week`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from medai.__main__ import main

if __name__ == "__main__":
    sys.argv[1:] = ["limits", "reset", "--week", *sys.argv[1:]]
    main()
