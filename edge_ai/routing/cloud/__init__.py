"""Servers elsewhere, one file a protocol, behind the contract of base.py."""
