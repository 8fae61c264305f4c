"""Construct declarations as flat field layouts, and the code generated from them."""
