"""The lander's firmware: C11 for boards, its Makefile, the images that the wheel carries, and what stamps an image.

No Python of the rig lives here: `stamp` is run by make, alone, and imports the standard library only.
"""
