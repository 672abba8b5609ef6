import { createInterface } from 'node:readline';
import type { CheckTarget } from './checks';
import { checkMember } from './checks';

/** Checks members from the namespace it is started in, for `createChecker`; ends with its input. */
const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  const { id, target }: { id: number; target: CheckTarget } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({ id, passed: await checkMember(target) })}\n`);
});
lines.once('close', () => process.exit());
process.stdout.on('error', () => process.exit());
