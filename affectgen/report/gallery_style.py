"""How a gallery looks."""

STYLE = """
:root { color-scheme: light dark; --line: #8885; --asked: #c2410c; --heard: #1971c2; --bad: #c92a2a; --soft: #8881; }
@media screen and (prefers-color-scheme: dark) { :root { --asked: #ff922b; --heard: #4dabf7; --bad: #ff8787; } }
* { box-sizing: border-box; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 0 auto; padding: 1rem; max-width: 80rem; display: grid;
  grid-template-columns: minmax(0, 22rem) minmax(0, 1fr); gap: 0 1.5rem; align-items: start; }
header { grid-column: 1 / -1; min-width: 0; } h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere; }
header p { margin: .2rem 0 1rem; }
form { grid-column: 1 / -1; } aside { position: sticky; top: 1rem; }
.key, .told { margin: .5rem 0; font-size: .85rem; overflow-wrap: anywhere; }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin-bottom: 1rem; }
label { display: flex; flex-direction: column; font-size: .8rem; }
input, select, button { font: inherit; padding: .3rem .4rem; max-width: 15rem; }
output { margin-left: auto; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: .8rem;
  grid-column: 2; }
article { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; min-width: 0;
  scroll-margin-top: 1rem; }
article[hidden] { display: none; }
article:focus-visible, article.chosen { outline: 2px solid var(--heard); }
article[data-status=failed] { border-left: 4px solid var(--bad); }
h2 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
.facts { margin: 0; opacity: .75; font-size: .85rem; overflow-wrap: anywhere; } .affect { margin: .3rem 0; }
.affect small { white-space: nowrap; }
.fault { color: var(--bad); margin: .3rem 0; overflow-wrap: anywhere; white-space: pre-wrap; }
.a, .key b:first-child { color: var(--asked); } .m, .key b:last-child { color: var(--heard); }
svg { background: var(--soft); border-radius: 6px; width: 100%; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
.by1, .judged .by0 { display: none; } .judged .by1 { display: revert; }
.grid { stroke: var(--line); fill: none; }
#plane a { cursor: pointer; } #plane a[hidden] { display: none; }
#plane polyline { stroke: currentColor; opacity: .25; fill: none; }
#plane .path { stroke: var(--asked); opacity: .6; stroke-dasharray: 4 3; }
.ring { fill: none; stroke: var(--asked); stroke-width: 1.5; } .dot { fill: var(--heard); fill-opacity: .8; }
#plane a.chosen polyline { opacity: 1; stroke-width: 2; }
.many .ring { r: 2.5px; stroke-width: 1; } .many .dot { r: 2px; } .many:has(.chosen) a:not(.chosen) { opacity: .35; }
#plane:focus-visible { outline: 2px solid var(--heard); }
#plane a.chosen .dot { stroke: currentColor; stroke-width: 2; r: 6px; }
.roll { height: 70px; margin: .3rem 0; cursor: pointer; }
.roll path { stroke: var(--heard); fill: none; }
.v0 { opacity: .35; } .v1 { opacity: .55; } .v2 { opacity: .8; }
.roll .now { stroke: currentColor; stroke-width: 1; vector-effect: non-scaling-stroke; visibility: hidden; }
.playing .roll .now { visibility: visible; }
audio { width: 100%; height: 2.4rem; margin-top: .3rem; }
.player { display: flex; align-items: center; gap: .5rem; } .player input { flex: 1; min-width: 4rem; padding: 0; }
.player button { min-width: 2.4rem; } .player small { opacity: .7; }
code { overflow-wrap: anywhere; font-size: .8rem; } details { margin-top: .3rem; }
@media (max-width: 52rem) { body { display: block; padding: .7rem; } aside { position: static; max-width: 24rem;
  margin: 0 auto 1rem; } output { margin-left: 0; } label { flex: 1 1 8rem; } input, select { max-width: none; } }
@media print { :root { color-scheme: light; }
  form, .player, audio { display: none; } article { break-inside: avoid; } aside { position: static; } }
"""
