"""What arrives: contracts, readers, conforming, landing and history. Imports nothing but `carehouse`."""
