"""Models and scores of the counts in anybody's CSV file, for `desertion fit` and `desertion score`."""
