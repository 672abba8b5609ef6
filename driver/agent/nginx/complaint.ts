const COMPLAINT = /^nginx: \[(?:emerg|alert|crit|error)\] (.*)$/;
const POSITION = / in \/.*:(\d+)$/;

/** What nginx said against a configuration: the line it blames (counted from 1), null if none, and its words. */
export function readComplaint(output: string): { readonly line: number | null; readonly reason: string } {
  const text = output
    .split('\n')
    .map((line) => COMPLAINT.exec(line)?.[1])
    .find((found) => found !== undefined);
  if (text === undefined) return { line: null, reason: 'nginx gave no reason' };
  const line = POSITION.exec(text)?.[1];
  return { line: line === undefined ? null : Number(line), reason: `nginx: ${text.replace(POSITION, '')}` };
}
