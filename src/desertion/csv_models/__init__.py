"""What `desertion fit` and `desertion score` need: models and scores of the counts in anybody's CSV file."""
