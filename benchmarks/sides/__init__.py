"""The sides of the comparisons; each is a program that takes its task as JSON and prints what it measured as JSON."""
