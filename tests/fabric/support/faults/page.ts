import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderText } from '../../../../driver/trace/render/text';
import type { Verdict } from './case';

/** Traces of the fabric in docs/troubleshooting.md, with names and numbers that are the same for each run. */

const PAGE = join(__dirname, '../../../../docs/troubleshooting.md');
const MARK = '<!-- traces -->\n';
/** `UPDATE_DOCS=yes npm run test:fabric -- faults` writes the page. */
const isUpdate = process.env['UPDATE_DOCS'] === 'yes';

export interface Shown {
  readonly heading: string;
  readonly trace: Verdict;
}

/** What stands in the page now: after it was written, if that was asked for. */
export function pageWith(shown: readonly Shown[]): string {
  const [head = ''] = readFileSync(PAGE, 'utf8').split(MARK);
  if (isUpdate) {
    const traces = shown.map(({ heading, trace }) => `### ${heading}\n\n\`\`\`\n${renderShown(trace)}\n\`\`\`\n`);
    writeFileSync(PAGE, `${head}${MARK}\n${traces.join('\n')}`);
  }
  return readFileSync(PAGE, 'utf8').split(MARK)[1] ?? '';
}

/** Under a heading of the page. */
export function traceIn(page: string, heading: string): string {
  return page.split(`### ${heading}\n`)[1]?.split('```')[1]?.trim() ?? '';
}

/**
 * What was looked at and found, without what is another one in each run: each way of a line once, in order. Of a VIP that
 * is broken the first finding and the sections: what follows from the fault shows one after the other, as time goes by.
 */
export function structureOf(text: string): string[] {
  const [first = '', ...rest] = text.split('\n');
  const all = [first, ...rest];
  const shown = first.startsWith('healthy') ? all : [...all.slice(0, FINDING), ...all.filter(isHeader)];
  return [...new Set(shown.map(withoutNumbers))].sort();
}

/** Lines of a finding. */
const FINDING = 4;
const isHeader = (line: string): boolean => /^[A-Z][A-Za-z -]*$/.test(line);

function withoutNumbers(line: string): string {
  return line
    .replace(/\b(se|compute|control|vnic|bgp|octavia-lb|ss-d)-[\w-]+/g, '$1-*')
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/g, 'id')
    .replace(/\b(tap|v)[0-9a-f]{8,}[\w-]*/g, '$1*')
    .replace(/\b(MAC )?[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*/g, 'address')
    .replace(/\d+(\.\d+){3}/g, 'address')
    .replace(/(address\/\d+ )+/g, 'address/n ')
    .replace(/gateways [^<]*/g, 'gateways ')
    .replace(/primary|secondary/g, 'placed')
    .replace(/\b(UP|RESTARTING|NO_CHECK)\b( L\dOK)?/g, 'UP')
    .replace(/\d+/g, 'n');
}

/** Without events, whose times and order are of that run. */
export function renderShown({ verdict, lines }: Verdict): string {
  return renumber(renderText({ verdict, lines: lines.filter(({ section }) => section !== 'events') }));
}

/** In the order in which they come. */
const NAMES: readonly (readonly [RegExp, (n: number) => string])[] = [
  [/\bslipstream-bgp-[0-9a-f-]{36}\b/g, (n) => `bgp-${n}`],
  [/\bslipstream-vnic-[0-9a-f-]{36}\b/g, (n) => `vnic-${n}`],
  [/\bslipstream-[0-9a-f]{8}\b(?!-)/g, (n) => `se-${n}`],
  [/\bocta\w+-lb-[0-9a-f-]{36}\b/g, () => 'octavia-lb-6d1b0d52-0c4b-4c1e-9f0e-8d7d0b2c6a11'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, (n) => idOf(n)],
  [/\bcompute-\d\b/g, (n) => `compute-${n}`],
  [/\bt[0-9a-f]{12}\b/g, (n) => `tap5630b95${n}-0f`],
  [/\bv[0-9a-f]{12}\b/g, (n) => `v02000000000${n}`],
  [/\bss-d-[0-9a-f]+\b/g, (n) => `ss-d-${n}`],
  [/\bMAC [0-9a-f:]{17}/g, (n) => `MAC 02:00:00:00:00:0${n}`],
  [/\bpid \d+/g, () => 'pid 7'],
  [/\b127\.\d+\.\d+(?=\.\d+)/g, () => '10.0.0'],
];

const idOf = (n: number): string => `${'abcdef'[n % 6]?.repeat(8)}-0000-4000-8000-${String(n).padStart(12, '0')}`;

function renumber(text: string): string {
  return NAMES.reduce((so, [pattern, nameOf]) => {
    const known = new Map<string, string>();
    return so.replace(pattern, (found) => {
      const name = known.get(found) ?? nameOf(known.size + 1);
      known.set(found, name);
      return name;
    });
  }, text);
}
