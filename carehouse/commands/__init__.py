"""The groups of the `carehouse` command, one file each; `carehouse/cli.py` joins them and holds what a night needs."""
