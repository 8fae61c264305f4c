"""The report's drawings, as SVG: curves, lanes, histograms and strips."""
