"""dbt as its own command runs it, but for one thing: `python -m carehouse.dbt_process build …`."""

import gc


def main() -> None:
    """Run dbt's command with the arguments of this one."""
    # Hundreds of thousands of small things stay for as long as dbt runs. Python looks through them again and again for
    # some that nobody needs any more, which took a fifth of dbt's time; now it waits for half a million new ones.
    gc.set_threshold(500_000, 50, 1000)
    from dbt.cli.main import cli

    cli()


if __name__ == "__main__":
    main()
