"""Proof: mostly through the front door, on real PostgreSQL, with sharp unit tests of rules beside it."""
