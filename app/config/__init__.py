"""Settings: the environment, validated once, with errors that name the variable and what it needs."""

from app.config.loading import load, variable_of
from app.config.settings import PREFIX, Environment, LogFormat, Settings, SettingsError

__all__ = ["PREFIX", "Environment", "LogFormat", "Settings", "SettingsError", "load", "variable_of"]
