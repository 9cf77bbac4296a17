"""The machine behind `make`: runs notebooks through papermill, keeps what still stands, and writes results whole."""
