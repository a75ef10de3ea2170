from zone.console.timeline.moments import Page, decode_cursor, read_page
from zone.console.timeline.sources import SOURCES

__all__ = ["SOURCES", "Page", "decode_cursor", "read_page"]
