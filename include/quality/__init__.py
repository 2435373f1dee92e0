"""Data validation: suites as data, run by Great Expectations, with severities that are ours."""
