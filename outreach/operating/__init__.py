"""What an operator runs: the server, the worker, the migrations."""
