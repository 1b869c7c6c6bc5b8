"""Read photographs and sheets, find the flans, cut and normalise the faces."""
