"""The Siamese network: a face becomes one unit vector."""
