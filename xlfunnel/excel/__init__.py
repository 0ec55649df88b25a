"""The workbook: built once as a template, then filled by sinks."""
