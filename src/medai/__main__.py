"""`medai` and `python -m medai`."""

from medai.cli.app import app


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
