"""The descent's physics in integers: atmosphere, dynamics, fixed-point arithmetic."""
