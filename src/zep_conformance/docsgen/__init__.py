"""The generated pages of docs/."""


def cells(*texts: str) -> str:
    """Return a row of a Markdown table."""
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"


def head(title: str, *columns: str) -> list[str]:
    """Return the lines that begin a section with a table, an empty one first; without a title, only the table's."""
    return [*(["", f"## {title}", ""] if title else []), cells(*columns), "|---" * len(columns) + "|"]
