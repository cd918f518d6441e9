"""``teal``, ``python -m teal_cli``, and what is inside ``teal.pyz``."""

from __future__ import annotations


def main() -> None:
    """Run the command that is named."""
    from teal_cli.app import app

    app(prog_name="teal")


if __name__ == "__main__":
    main()
