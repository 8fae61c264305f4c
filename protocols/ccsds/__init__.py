"""CCSDS and ECSS formats, one small file each, every one naming its standard and section.

A file declares its format in construct, generates its codec from the declaration, and offers a frozen value and
functions from and to bytes. It knows no mission.
"""
