"""Experiments on double auctions."""
