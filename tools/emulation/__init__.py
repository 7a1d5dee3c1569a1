"""A Jetson's processor and its Python on a PC: Debian's arm64 packages, unpacked and emulated, nothing installed."""
