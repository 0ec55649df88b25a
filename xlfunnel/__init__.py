"""The sales-funnel check-up inside Excel."""

__version__ = "0.1.0"
