"""The outermost door of a drop: whoever asks what thousands ask is answered before Django starts.

`door` stands in front of the application and `asked` reads what it is asked. `gone` answers those
who come too late, `winners` claims for those whom the rules let in; everybody else is answered by
the page behind (`benefits/middleware.py`), which says so when its answer may be said again.
"""

from benefits.rush.asked import ADDRESS
from benefits.rush.door import RushDoor
from benefits.rush.gone import GONE, OWNED
from benefits.rush.winners import WON, Won

__all__ = ["ADDRESS", "GONE", "OWNED", "WON", "RushDoor", "Won"]
