"""May it proceed: checks as data, evaluated on the very tables that will be published."""
