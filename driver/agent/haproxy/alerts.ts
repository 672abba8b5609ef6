import type { Rendered } from './render';
import type { ObjectRef } from './words';

/** What haproxy said against a configuration: by object where it can be told, and the rest. */
export interface Complaints {
  readonly byObject: readonly { readonly object: ObjectRef; readonly reason: string }[];
  /** The complaints in one line, for an operator. */
  readonly summary: string;
}

const ALERT = /^\[ALERT\]\s+\(\d+\) : (.*)$/;
const POSITION = /(?:parsing |Binding )?\[[^\]]*:(\d+)\] ?:? ?/;
const CLOSING = /Error\(s\) found in configuration file|Fatal errors found in configuration|Some protocols failed/;
/** Follows from an ACL line that was refused itself. */
const CONSEQUENCE = /condition ?: no such ACL : /;

/** Reads haproxy's output (`haproxy -c`, a start, a reload) and finds whom it complains about by line number. */
export function readAlerts(output: string, { owners }: Rendered): Complaints {
  const texts = output
    .split('\n')
    .map((text) => ALERT.exec(text)?.[1])
    .filter((text): text is string => text !== undefined && !CLOSING.test(text) && !CONSEQUENCE.test(text));
  const byObject = new Map<string, { object: ObjectRef; reason: string }>();
  for (const text of texts) {
    const object = owners[Number(POSITION.exec(text)?.[1] ?? 0) - 1];
    if (object && !byObject.has(object.id)) byObject.set(object.id, { object, reason: clean(text) });
  }
  return { byObject: [...byObject.values()], summary: texts.map(clean).join('; ') || 'haproxy gave no reason' };
}

function clean(text: string): string {
  return `haproxy: ${text
    .replace(/^config : /, '')
    .replace(POSITION, '')
    .trim()}`;
}
