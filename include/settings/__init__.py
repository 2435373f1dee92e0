"""The settings by subject; `include.config` puts them together."""
