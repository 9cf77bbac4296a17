"""What test modules and benchmarks share."""
