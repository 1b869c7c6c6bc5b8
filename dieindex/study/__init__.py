"""Die numbers, links, estimates, report."""
