import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { OperatorClient, Shown } from './client';
import { formatOne } from './output';
import { atLeastOne, type Flags, run, withIdentity } from './running';

/** Milliseconds between two looks at a capture. */
const PACE = 500;

/** Captures packets of a load balancer, waits until that is over, and writes them to a file. */
export function addCaptureCommand(program: Command): void {
  withIdentity(program.command('capture').description('captures packets of a load balancer on all its engines'))
    .argument('<loadbalancer>', 'name or id')
    .option('--filter <expression>', 'only these packets, in the language of pcap-filter(7)')
    .option('--duration <seconds>', '30 by default', atLeastOne)
    .option('--packets <number>', 'of each engine at most; 10000 by default', atLeastOne)
    .option('--size <bytes>', 'of all engines together at most; 8 MiB by default', atLeastOne)
    .option('-o, --output <file>', 'where the packets go (pcapng); by default capture-<id>.pcapng')
    .addHelpText('after', '\nInterrupted (Ctrl-C), it stops the capture and writes what there is.')
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => capture(client, await client.loadBalancerId(nameOrId), flags)),
    );
}

async function capture(client: OperatorClient, loadBalancerId: string, flags: Flags): Promise<string> {
  const asked = ['filter', 'duration', 'packets', 'size'].filter((name) => flags[name] !== undefined);
  const fields = Object.fromEntries(asked.map((name) => [name, flags[name]]));
  const path = `loadbalancers/${encodeURIComponent(loadBalancerId)}/captures`;
  const begun = await client.ask(path, { capture: fields }, 'capture');
  const done = await awaitEnd(client, begun);
  const file = typeof flags['output'] === 'string' ? flags['output'] : `capture-${begun['id']}.pcapng`;
  // What clients sent is in it.
  await writeFile(file, await client.download(`captures/${begun['id']}/data`), { mode: 0o600 });
  return formatOne({ ...done, file }, flags.format);
}

/** The capture when it is over. Interrupted, it asks for the end and waits for that. */
async function awaitEnd(client: OperatorClient, begun: Shown): Promise<Shown> {
  const path = `captures/${begun['id']}`;
  let stopping: Promise<void> | undefined;
  const interrupt = (): void => {
    stopping ??= client.delete(path);
  };
  process.once('SIGINT', interrupt);
  try {
    for (let shown = begun; ; shown = await client.get(path, 'capture')) {
      if (shown['state'] === 'done') return shown;
      await sleep(PACE);
      await stopping;
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
}
