"""A figure's drawing that is dark where the reader's screen is: the site's copy; figures/ stay light.

matplotlib writes colours into style attributes, so each is given its counterpart by a rule that outweighs
them. On paper, and to programs that know no media queries, the drawing is as it was.
"""

PAPER, INK = "#212126", "#ececf0"  # --card and --text of site.css
DARK = {  # colours of figures/style.mplstyle and figures/axes.py, lower case as matplotlib writes them
    "#ffffff": PAPER,
    "#222222": INK,
    "#333333": INK,
    "#444444": "#d0d0d6",
    "#555555": "#a5a5af",
    "#888888": "#7d7d87",
    "#e6e6e6": "#3a3a42",
    "#0072b2": "#7cc0f5",
    "#c62828": "#ff8a80",
    "#832db6": "#c58bea",
    "#bd1f01": "#f2674b",
}


RULES = "".join(
    f'[style*="{what}: {light}"]{{{what}:{dark}!important}}\n'
    for light, dark in DARK.items()
    for what in ("fill", "stroke")
)
ON_DARK = "@media screen and (prefers-color-scheme: dark)"
STYLE = f"<style>{ON_DARK} {{\ntext{{fill:{INK}}}\n{RULES}}}</style>".encode()


def following_the_screen(svg: bytes) -> bytes:
    """The drawing with rules for a dark screen at its end."""
    body, end, rest = svg.rpartition(b"</svg>")
    return body + STYLE + end + rest
