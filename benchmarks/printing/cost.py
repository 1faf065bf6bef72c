"""What a rendering process took, told to its parent. Needs nothing but the standard library."""

import json
import resource


def tell(made: bytes, seconds: float) -> None:
    """Seconds of the rendering, and the most memory the whole process has held (Linux: KiB)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"seconds": seconds, "megabytes": peak, "kilobytes": len(made) / 1024}
    print(json.dumps(figures))
