"""Construct declarations as layouts (`layout` reads them), as data (`parts`), and the decoders made from them."""
