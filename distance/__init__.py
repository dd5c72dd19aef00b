"""How far apart two values are: a module per measure, then the record distance."""
