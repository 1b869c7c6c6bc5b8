"""From scores to log-likelihood ratios, probabilities and verdicts."""
