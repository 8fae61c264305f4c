"""Firmware images: the boards they are for, how they are built, and which one flies."""
