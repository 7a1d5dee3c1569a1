"""What goes wrong with a model, without the libraries that models need."""


class ConversionError(Exception):
    """A model that cannot be converted; says what is in the way."""
