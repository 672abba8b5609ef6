import { type Line, SECTIONS } from '../line';
import type { Trace } from '../trace';

/** A page that needs nothing but a browser: no script, no style from elsewhere. */
export function renderHtml(trace: Trace, takenAt: string): string {
  const title = `Trace of ${trace.name || trace.loadBalancerId}`;
  const vips = trace.vips.map(safe).join(', ');
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${safe(title)}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${safe(title)}</h1><p>VIP ${vips || 'none'} · ${safe(trace.loadBalancerId)} · ${safe(takenAt)}</p></header>`,
    `<main>${verdictOf(trace)}${SECTIONS.map((section) => sectionOf(trace.lines, section)).join('')}</main>`,
    '</body></html>\n',
  ].join('');
}

function verdictOf({ verdict }: Trace): string {
  if (verdict.length === 0) return '<p class="healthy">Nothing is wrong.</p>';
  const items = verdict.map(
    ({ fault, what, read, cause, cure }, index) =>
      `<li class="${index === 0 ? 'first' : 'other'}"><p class="what"><code>${safe(fault)}</code> ${safe(what)}</p>` +
      `<dl><dt>likely cause</dt><dd>${safe(cause)}</dd><dt>cure</dt><dd>${safe(cure)}</dd><dt>read in</dt><dd>${safe(read)}</dd></dl></li>`,
  );
  return `<ol class="verdict">${items.join('')}</ol>`;
}

function sectionOf(lines: readonly Line[], section: string): string {
  const own = lines.filter((line) => line.section === section);
  if (own.length === 0) return '';
  const rows = own.map(
    ({ status, text, read }) =>
      `<tr class="${status}"><td class="mark">${MARKS[status]}</td><td>${safe(text)}</td><td class="read">${safe(read)}</td></tr>`,
  );
  return `<section><h2>${safe(section)}</h2><table><tbody>${rows.join('')}</tbody></table></section>`;
}

const MARKS = { ok: 'OK', wrong: 'wrong', unknown: 'not read', info: '' } as const;

function safe(text: string): string {
  return text
    .replace(/\p{C}+/gu, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b2430;--paper:#fff;--soft:#5d6b7c;--line:#dde3ea;--ok:#1d7a46;--bad:#b3261e;--dim:#8a6100;--tint:#fdf0ef}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9f0;--paper:#151a21;--soft:#9aa7b6;--line:#2c3540;--ok:#5fc98d;--bad:#ff8a80;--dim:#e0b050;--tint:#2b1c1c}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
header,main{max-width:1180px;margin:0 auto;padding:0 20px}header{padding-top:24px}
h1{font-size:24px;margin:0}header p{margin:2px 0 18px;color:var(--soft)}
h2{font-size:13px;text-transform:uppercase;letter-spacing:.06em;color:var(--soft);margin:26px 0 6px}
.healthy{color:var(--ok);font-weight:600;font-size:17px}
.verdict{list-style-position:inside;margin:0;padding:0}
.verdict li{border-left:4px solid var(--line);padding:8px 14px;margin:0 0 10px}
.verdict li.first{border-color:var(--bad);background:var(--tint)}
.what{display:inline;margin:0;font-weight:600}code{font:13px ui-monospace,monospace;color:var(--bad)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:6px 0 0}dt{color:var(--soft)}dd{margin:0}
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:5px 10px 5px 0;vertical-align:top;overflow-wrap:anywhere}
.mark{width:76px;white-space:nowrap;font-weight:600;color:var(--soft)}.read{width:26%;color:var(--soft);font-size:13px}
.ok .mark{color:var(--ok)}.wrong .mark{color:var(--bad)}.unknown .mark{color:var(--dim)}
`.replaceAll('\n', '');
