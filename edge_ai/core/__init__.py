"""The ground floor: types, errors, clocks, parameters and the registry. Imports nothing of ours."""
