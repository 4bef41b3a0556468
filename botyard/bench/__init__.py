"""Figures that the README claims, each a ratio measured within one run."""
