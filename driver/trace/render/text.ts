import { SECTIONS } from '../line';
import type { Trace } from '../trace';

const MARKS = { ok: 'OK  ', wrong: 'BAD ', unknown: '??  ', info: '    ' } as const;

/** For a terminal: what is wrong first, the likely cause before what follows from it. */
export function renderText(trace: Pick<Trace, 'verdict' | 'lines'>): string {
  return [...verdictOf(trace), ...SECTIONS.flatMap((section) => sectionOf(trace, section))].map(clean).join('\n');
}

function verdictOf({ verdict, lines }: Pick<Trace, 'verdict' | 'lines'>): string[] {
  const unread = lines.filter(({ status }) => status === 'unknown').length;
  const but = unread > 0 ? ` (${unread} things could not be looked at: ??)` : '';
  if (verdict.length === 0) return [`healthy: nothing is wrong${but}`];
  return verdict.flatMap(({ fault, what, read, cause, cure }, index) => [
    `${index + 1}. ${fault}: ${what}`,
    `   read in: ${read}`,
    `   likely cause: ${cause}`,
    `   cure: ${cure}`,
  ]);
}

function sectionOf({ lines }: Pick<Trace, 'lines'>, section: string): string[] {
  const own = lines.filter((line) => line.section === section);
  if (own.length === 0) return [];
  return ['', section.toUpperCase(), ...own.map(({ status, text, read }) => `  ${MARKS[status]}${text}  <${read}>`)];
}

/** Names and messages are of users and daemons: nothing of it may steer a terminal. */
function clean(text: string): string {
  return text.replace(/\p{C}+/gu, ' ');
}
