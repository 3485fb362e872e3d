"""What real versions were measured to do, and what it means to move from one to another.

`measurements` makes small files of the reports of whole runs, and reads them; `upgrade` compares two versions by them,
and by the deviations that are known.
"""
