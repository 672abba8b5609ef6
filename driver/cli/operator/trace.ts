import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { Option } from 'commander';
import { renderText } from '../../trace/render/text';
import type { OperatorClient } from './client';
import { atLeastOne, type Flags, run, withIdentity } from './running';

/** As the API shows it. */
type Shown = Parameters<typeof renderText>[0] & { readonly taken_at: string; readonly healthy: boolean };

/** Follows a VIP, and says what is wrong with it: the likely cause first. */
export function addTraceCommand(program: Command): void {
  withIdentity(
    program
      .command('trace')
      .description(
        'follows the VIP of a load balancer down to its members, and says what is wrong, the likely cause first',
      ),
  )
    .argument('<loadbalancer>', 'name or id')
    .option('--flow <address:port>', 'a client: tells between which engines its connection is decided')
    .option('--watch', 'look again and again, and show what has changed; Ctrl-C ends it')
    .option('--interval <seconds>', 'between two looks with --watch; 2 by default', atLeastOne)
    .addOption(new Option('--output <form>', 'text, or json with everything').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      '\nEach line says OK, BAD or ?? (could not be read), and where it was read. Ends with 1 if something is wrong.',
    )
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => trace(client, await client.loadBalancerId(nameOrId), flags)),
    );
}

const PACE = 2;

async function trace(client: OperatorClient, id: string, flags: Flags): Promise<string> {
  const look = lookOf(client, id, flags);
  const first = await look();
  if (flags['watch'] !== true) {
    process.exitCode = first.healthy ? 0 : 1;
    return show(first, flags);
  }
  await watch(first, look, flags);
  return '';
}

function lookOf(client: OperatorClient, id: string, flags: Flags): () => Promise<Shown> {
  const flow = flags['flow'];
  const query = typeof flow === 'string' ? `?${new URLSearchParams({ flow })}` : '';
  const path = `loadbalancers/${encodeURIComponent(id)}/trace${query}`;
  return async () => (await client.get(path, 'trace')) as unknown as Shown;
}

function show(shown: Shown, flags: Flags): string {
  const isJson = flags['output'] === 'json' || flags.format === 'json';
  return isJson ? JSON.stringify(shown, null, 2) : renderText(shown);
}

/** Shows all of it once, and then what differs. A look that fails is told, and followed by the next. */
async function watch(first: Shown, look: () => Promise<Shown>, flags: Flags): Promise<void> {
  const pause = typeof flags['interval'] === 'number' ? flags['interval'] : PACE;
  let isOver = false;
  const ending = new AbortController();
  process.once('SIGINT', () => {
    isOver = true;
    ending.abort();
  });
  process.stdout.write(`${show(first, flags)}\n`);
  let last = first;
  while (!isOver) {
    await sleep(pause * 1_000, undefined, { signal: ending.signal }).catch(() => undefined);
    if (isOver) return;
    try {
      const next = await look();
      const changes = changesBetween(last, next);
      if (changes.length > 0) process.stdout.write(`\n${next.taken_at}\n${changes.join('\n')}\n`);
      last = next;
    } catch (error) {
      process.stdout.write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

/** Lines that have gone (-) and come (+). */
export function changesBetween(
  before: Pick<Shown, 'verdict' | 'lines'>,
  after: Pick<Shown, 'verdict' | 'lines'>,
): string[] {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  return [
    ...old.filter((line) => !fresh.includes(line)).map((line) => `- ${line}`),
    ...fresh.filter((line) => !old.includes(line)).map((line) => `+ ${line}`),
  ];
}

function linesOf(shown: Pick<Shown, 'verdict' | 'lines'>): string[] {
  return renderText(shown)
    .split('\n')
    .map((line) => line.trim().replace(/^\d+\. /, ''))
    .filter((line) => line !== '');
}
