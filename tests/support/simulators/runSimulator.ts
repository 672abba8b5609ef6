import { runContrail } from './contrail/run';

const SIMULATORS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = { contrail: runContrail };

/** `npm run simulator -- <name> [options]`: a simulator of a cloud's service, by hand. */
async function main(): Promise<void> {
  const [, , name = '', ...args] = process.argv;
  const run = SIMULATORS[name];
  if (run) return run(args);
  console.error(`usage: npm run simulator -- ${Object.keys(SIMULATORS).join('|')} [options]`);
  process.exitCode = 2;
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
