"""How the page looks, and the few lines of script that it works without. Both are in the page itself, which loads
nothing; the policy lets nothing else run.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

STYLE = """
:root { --ink: #1c2430; --soft: #5d6877; --line: #e1e6ec; --back: #f6f8fa; --accent: #1d4ed8; --bad: #b3261e;
  --warn: #8a5300; --good: #1a6b3c; }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0; color: var(--ink); background: var(--back);
  overflow-wrap: anywhere; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
header, main { max-width: 78rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1rem; }
header p { margin: 0; }
h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1.1rem; margin: 0 0 .6rem; }
h3 { font-size: .95rem; margin: 1.2rem 0 .4rem; color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: .3rem; margin: .8rem 0 1rem; align-items: center; }
nav a { padding: .25rem .7rem; border-radius: .5rem; color: var(--ink); }
nav a[aria-current] { background: var(--ink); color: #fff; }
nav .refresh { margin-left: auto; font-size: .9rem; color: var(--soft); }
nav .refresh a { padding: .25rem .4rem; color: var(--accent); }
section { background: #fff; border: 1px solid var(--line); border-radius: .7rem; padding: 1rem; margin: 0 0 1rem; }
dl { display: flex; flex-wrap: wrap; gap: .6rem 2.2rem; margin: 0; }
dt { color: var(--soft); font-size: .82rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
.big dd { font-size: 1.2rem; }
meter { width: 9rem; height: .8rem; vertical-align: middle; }
.tall { max-height: 26rem; overflow-y: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 500; font-size: .82rem; white-space: nowrap; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
tr.bad td:first-child { box-shadow: inset 3px 0 var(--bad); padding-left: .6rem; }
tr.warn td:first-child { box-shadow: inset 3px 0 var(--warn); padding-left: .6rem; }
code, pre { font: .85rem/1.5 ui-monospace, monospace; }
pre { background: var(--back); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem;
  margin: .3rem 0; white-space: pre-wrap; max-height: 40rem; overflow-y: auto; }
.chip { background: #eaeef3; border-radius: .7rem; padding: .05rem .55rem; font-size: .85rem; white-space: nowrap; }
.tag { background: #e8eefc; white-space: normal; }
.chip.bad { background: #fbe9e7; color: var(--bad); } .chip.warn { background: #fdf0d9; color: var(--warn); }
.chip.good { background: #e3f3e9; color: var(--good); }
.quiet { color: var(--soft); margin: .4rem 0; } .problem { color: var(--bad); margin: .2rem 0 0; }
ul { margin: 0; padding: 0 0 0 1.2rem; } li { margin: .2rem 0; }
ul.tree ul { border-left: 1px solid var(--line); }
form.row { display: flex; flex-wrap: wrap; gap: .6rem .8rem; align-items: flex-end; margin: 0 0 .8rem; }
label { display: flex; flex-direction: column; font-size: .82rem; color: var(--soft); flex: 0 1 9rem; min-width: 0; }
label.wide { flex-basis: 16rem; }
input, select, button { font: inherit; color: var(--ink); padding: .3rem .5rem; border: 1px solid #b9c2cd;
  border-radius: .45rem; background: #fff; min-width: 0; width: 100%; }
input, select { height: 2.15rem; }
button { cursor: pointer; width: auto; } button.first { background: var(--ink); border-color: var(--ink); color: #fff; }
input[aria-invalid] { border-color: var(--bad); }
details { border-top: 1px solid var(--line); padding: .45rem 0; } details:first-of-type { border-top: 0; }
summary { cursor: pointer; } summary .quiet { display: block; margin: 0 0 0 1.05rem; }
details > form.row { margin: .6rem 0 .3rem 1.05rem; }
summary code { font-weight: 600; }
.key details, td details { border: 0; padding: 0; } .key details { margin: .5rem 0; }
section > :last-child { margin-bottom: 0; }
@media (max-width: 700px) {
  thead { display: none; } table, tbody, tr, td { display: block; width: 100%; }
  tr { border-bottom: 1px solid var(--line); padding: .5rem 0; } tr:last-child { border-bottom: 0; }
  td, tr:last-child td { border: 0; padding: .08rem 1rem .08rem 0; }
  td { display: inline-block; width: auto; max-width: 100%; }
  td:empty { display: none; }
  td::before { content: attr(data-label) " "; color: var(--soft); font-size: .82rem; }
  tr.bad, tr.warn { padding-left: .6rem; } tr.bad { box-shadow: inset 3px 0 var(--bad); }
  tr.warn { box-shadow: inset 3px 0 var(--warn); }
  tr.bad td:first-child, tr.warn td:first-child { box-shadow: none; padding-left: 0; }
  nav .refresh { margin-left: 0; } dl { gap: .5rem 1.4rem; } label { flex-grow: 1; }
}
"""

SCRIPT = """
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}
const named = location.hash && document.getElementById(location.hash.slice(1));
if (named && named.tagName === "DETAILS") { named.open = true; named.scrollIntoView(); }
"""


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    f"style-src {_digest(STYLE)}; script-src {_digest(SCRIPT)}",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
"""Of every page: nothing is loaded, nothing of elsewhere runs, and no other site may frame it or read it."""
