"""Old cron tables call this with --once: `medai export`."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from medai.__main__ import main

if __name__ == "__main__":
    # Cron starts in the home folder: settings, data and logs are those of the project.
    os.chdir(Path(__file__).resolve().parents[1])
    # Without --once the replaced script did nothing either.
    sys.argv[1:] = ["export"] if "--once" in sys.argv[1:] else ["export", "--help"]
    main()
