"""One folder for each board: the board itself and what its first row says in `__init__`, further rows beside it."""
