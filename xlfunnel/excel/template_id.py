"""What names a template; apart from its builder, which most runs never need."""

TEMPLATE_VERSION = "1"


def file_name(language: str) -> str:
    """The template's file name in `workbook/`."""
    return f"xlfunnel.{language}.xlsx"
