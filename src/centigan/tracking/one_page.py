"""The report's first page with all that it shows inside: MLflow shows a page without the files beside it.

Every figure is added at its end. What is left out does not grow with the classes' number on this page: their
pages, the tables and what is too heavy are in report.zip.
"""

import base64
import mimetypes
import re
from html import escape, unescape
from pathlib import Path

HEAVIEST = 1_500_000  # bytes of a figure; of a larger one the page has the small picture
ROOM = 9_000_000  # bytes of all figures; MLflow shows pages of up to 50 MB
STYLE = re.compile(r'<link rel="stylesheet" href="([^"]+)">')
SCRIPT = re.compile(r"<script src=[^>]+></script>\n?")  # it searches and sorts, on other pages
IMAGE = re.compile(r'(<img\b[^>]*?\bsrc=")([^"]+)(")')
SOURCE = re.compile(r"<source\b[^>]*>")  # of the same picture as it is on a dark screen
LINK = re.compile(r'(<a\b[^>]*?)\s+href="([^"]+)"')
FIGURE = re.compile(r'href="(figures/([^"/]+)\.html)"')
DRAWN = re.compile(r'<figure class="sheet">.*?</figure>', re.DOTALL)
TITLE = re.compile(r"<h1>(.*?)</h1>", re.DOTALL)
SITE = re.compile(
    r'<section>\s*<h2 id="site">.*?</section>\s*|<a href="#site">.*?</a>', re.DOTALL
)  # of files beside it
PLAIN = "a:not([href]) { color: inherit; text-decoration: none }\n"  # a link that leads out of the page
JUMP = """\
<script>
// MLflow shows the page in a frame in which the browser follows no link, not even within the page
addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  const target = link && document.getElementById(link.getAttribute("href").slice(1));
  if (target) { event.preventDefault(); target.scrollIntoView(); }
});
</script>
"""
NOTE = (
    '<p class="note">One page of the report, whole in itself. The others, of all {classes} classes '
    "with their pictures, and the tables are in <code>report.zip</code> here: download, unpack, open "
    "<code>report/index.html</code>.{small}</p>"
)
SMALL = " Shown small here, since the page would be too heavy: {}."


def one_page(index: Path, classes: int | None) -> str:
    """The page as one HTML text that refers to no other file.

    Args:
        index: the report's first page, with all others beside it.
        classes: how many have a page of their own; None: there is no other page.
    """
    page = index.read_text(encoding="utf-8")
    folder = index.parent
    figures, small = _figures(folder, page)
    page = STYLE.sub(lambda found: f"<style>\n{(folder / found[1]).read_text('utf-8')}{PLAIN}</style>", page)
    page = SOURCE.sub("", SITE.sub("", SCRIPT.sub("", page)))
    page = FIGURE.sub(r'href="#figure-\2"', page)
    page = _with_images(LINK.sub(_within, page), folder)
    if classes is not None:
        said = NOTE.format(classes=classes, small=SMALL.format(", ".join(small)) if small else "")
        page = page.replace("</h1>", f"</h1>\n{said}", 1)
    page = page.replace("</main>", f"{figures}</main>", 1)
    return page.replace("</body>", f"{JUMP}</body>", 1)


def _figures(folder: Path, page: str) -> tuple[str, list[str]]:
    """A section of every figure that the page names, and the titles of those shown small."""
    parts, small, room = [], [], ROOM
    for address, name in FIGURE.findall(page):
        content = (folder / address).read_text(encoding="utf-8")
        drawn, title = DRAWN.search(content), TITLE.search(content)
        if not drawn or not title:
            continue
        text, beside = drawn[0], (folder / address).parent
        weight = sum((beside / unescape(found[1])).stat().st_size for found in IMAGE.findall(text))
        if weight > min(HEAVIEST, room):
            text = IMAGE.sub(rf"\g<1>{escape(name)}.webp\g<3>", text)
            small.append(title[1])
        else:
            room -= weight
        text = _with_images(LINK.sub(_within, text), beside)
        parts.append(f'<section id="figure-{name}">\n<h2>{title[1]}</h2>\n{text}\n</section>\n')
    return "".join(parts), small


def _within(link: re.Match[str]) -> str:
    """A link that stays within the page, or leads to the web; of another, its words."""
    target = link[2].removeprefix("index.html")
    return f'{link[1]} href="{target}"' if target.startswith(("#", "https:", "http:")) else link[1]


def _with_images(text: str, folder: Path) -> str:
    def inline(found: re.Match[str]) -> str:
        file = folder / unescape(found[2])
        kind = mimetypes.guess_type(file.name)[0] or "image/webp"
        return f"{found[1]}data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}{found[3]}"

    return IMAGE.sub(inline, text)
