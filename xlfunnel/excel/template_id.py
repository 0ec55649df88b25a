"""What names a template; apart from its builder, which most runs never need."""

TEMPLATE_VERSION = "2"


def file_name(language: str, *, macros: bool = False) -> str:
    """The template's file name in `workbook/`: macro-free, or with macros and ribbon."""
    return f"xlfunnel.{language}.{'xlsm' if macros else 'xlsx'}"
