#include "daemon/page.hpp"

namespace vitald::daemon {

// Colours are paired with words everywhere, so nothing depends on telling red from green. Below 700 px the table
// becomes one card for each check. No font, image or script is fetched.
std::string_view page_style() {
  return R"(:root {
  --back: #f6f7f9; --card: #fff; --text: #1b1f24; --dim: #5b6470; --line: #dfe3e8; --link: #0b5cad;
  --ok: #1a7f37; --ok-soft: #e4f4e8; --warning: #8a5a00; --warning-soft: #fdf0cf; --critical: #b3140f;
  --critical-soft: #fde4e2; --unknown: #6b3fa0; --unknown-soft: #efe6fa; --waiting: #5b6470; --waiting-soft: #e9ecf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #111418; --card: #1a1e24; --text: #e6e9ed; --dim: #98a2ae; --line: #2b313a; --link: #7db8f5;
    --ok: #5fd07f; --ok-soft: #15301d; --warning: #f0bd4f; --warning-soft: #35290d; --critical: #ff8078;
    --critical-soft: #401917; --unknown: #c9a4f7; --unknown-soft: #2c1f40; --waiting: #98a2ae; --waiting-soft: #262b33;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.45 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem; }
.ok { --ink: var(--ok); --soft: var(--ok-soft); }
.warning { --ink: var(--warning); --soft: var(--warning-soft); }
.critical { --ink: var(--critical); --soft: var(--critical-soft); }
.unknown { --ink: var(--unknown); --soft: var(--unknown-soft); }
.waiting { --ink: var(--waiting); --soft: var(--waiting-soft); }
header { background: var(--soft); border-left: .5rem solid var(--ink); border-radius: .5rem; padding: 1rem 1.25rem; }
header h1 { margin: 0; color: var(--ink); font-size: 1.6rem; line-height: 1.2; }
.instance { margin: 0 0 .25rem; color: var(--dim); font-weight: 600; overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; list-style: none; margin: .5rem 0 0; padding: 0; }
.counts li { color: var(--ink); }
h2 { font-size: 1.05rem; margin: 1.6rem 0 .6rem; }
.own { border: 2px solid var(--warning); border-radius: .5rem; margin-top: 1rem; padding: 0 1.25rem .75rem; }
.own { color: var(--warning); background: var(--warning-soft); overflow-wrap: anywhere; }
.own h2 { margin: .75rem 0 .25rem; }
.own p { margin: .25rem 0; }
article { background: var(--card); border: 1px solid var(--line); border-left: .4rem solid var(--ink); }
article { border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 .75rem; }
article h3 { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
.severity { background: var(--ink); color: var(--card); border-radius: .3rem; padding: 0 .4rem; }
.verdict { color: var(--ink); }
.summary { margin: .35rem 0 .5rem; font-size: 1.05rem; overflow-wrap: anywhere; }
header + section { margin-top: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--dim); max-width: 12rem; overflow-wrap: anywhere; }
dd { margin: 0; overflow-wrap: anywhere; }
a { color: var(--link); }
table { width: 100%; border-collapse: collapse; background: var(--card); border: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: .45rem .75rem; border-top: 1px solid var(--line); }
thead th { color: var(--dim); font-size: .85rem; font-weight: 600; border-top: 0; }
tbody th { font-weight: 600; overflow-wrap: anywhere; }
small { display: block; color: var(--dim); font-weight: 400; }
tbody th small { display: inline-block; margin-left: .4rem; }
.badge { display: inline-block; min-width: 5.2rem; text-align: center; border-radius: .3rem; padding: 0 .4rem; }
.badge { color: var(--ink); background: var(--soft); font-weight: 600; }
.why { width: 45%; overflow-wrap: anywhere; }
.what { width: 100%; overflow-wrap: anywhere; }
.last, .took, .next, .when { white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--dim); }
.note, footer { color: var(--dim); font-size: .9rem; }
@media (max-width: 700px) {
  main { padding: .6rem; }
  header h1 { font-size: 1.35rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .3rem; }
  thead { display: none; }
  table, tbody { display: block; }
  tr { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .7rem; padding: .55rem .75rem; }
  tr { border-top: 1px solid var(--line); }
  tbody tr:first-child { border-top: 0; }
  th, td { border: 0; padding: 0; }
  .why, .what { grid-column: 1 / -1; width: auto; }
  .why:empty, .took, .next { display: none; }
  .last { grid-column: 1 / -1; font-size: .85rem; }
  .last:empty { display: none; }
  .last::before { content: "ran "; }
}
)";
}

}  // namespace vitald::daemon
