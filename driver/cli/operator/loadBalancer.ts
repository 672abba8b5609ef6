import { type Command, Option } from 'commander';
import type { OperatorClient, Shown } from './client';
import { ENGINE, PLACEMENT_PLAN } from './objects';
import { formatOne } from './output';
import { atLeastOne, type Flags, run, withIdentity } from './running';

/** What operators ask of load balancers: to be on more engines, on fewer, or on another. Each shows the plan that follows. */
export function addLoadBalancerCommands(program: Command): void {
  const parent = program.command('loadbalancer').description('engines of a load balancer, by the operator API');
  addScaleCommand(parent, 'scaleout', 'serves a load balancer from more engines')
    .option('--count <number>', 'engines more', atLeastOne)
    .action(scaling('scaleout', async (_, flags) => countOf(flags)));
  addScaleCommand(parent, 'scalein', 'serves a load balancer from fewer engines; they are drained first')
    .option('--count <number>', 'engines fewer', atLeastOne)
    .option('--engine <name-or-id>', 'the engine to leave; the one that is missed least by default')
    .action(
      scaling('scalein', async (client, flags) => ({
        ...countOf(flags),
        ...(await engineIn(client, flags, { option: 'engine', field: 'service_engine_id' })),
      })),
    );
  addScaleCommand(parent, 'migrate', 'moves a load balancer from one engine to another')
    .requiredOption('--from <name-or-id>', 'the engine to leave')
    .option('--to <name-or-id>', 'the engine to go to; one that placement chooses by default')
    .action(
      scaling('migrate', async (client, flags) => ({
        ...(await engineIn(client, flags, { option: 'from', field: 'from' })),
        ...(await engineIn(client, flags, { option: 'to', field: 'to' })),
      })),
    );
  addScaleCommand(parent, 'switchover', 'has the standby of a pair take over from its master').action(
    scaling('switchover', async () => ({})),
  );
  addScaleCommand(parent, 'flavor', 'gives a live load balancer another flavor, make before break')
    .addOption(new Option('--flavor <id>', 'the flavor').conflicts('none'))
    .option('--none', 'no flavor')
    .action(scaling('flavor', async (_, flags) => ({ flavor_id: flags['flavor'] ?? null })));
}

function addScaleCommand(parent: Command, word: string, description: string): Command {
  return withIdentity(parent.command(word).description(description)).argument('<loadbalancer>', 'name or id');
}

type Fields = (client: OperatorClient, flags: Flags) => Promise<Shown>;

function scaling(word: string, fields: Fields) {
  return (nameOrId: string, flags: Flags): Promise<void> =>
    run(flags, async (client) => {
      const path = `loadbalancers/${await client.loadBalancerId(nameOrId)}/${word}`;
      const plan = await client.ask(path, { [word]: await fields(client, flags) }, PLACEMENT_PLAN.root);
      return formatOne(plan, flags.format);
    });
}

function countOf(flags: Flags): Shown {
  return flags['count'] === undefined ? {} : { count: flags['count'] };
}

/** The API wants ids of engines, which have names. */
async function engineIn(
  client: OperatorClient,
  flags: Flags,
  { option, field }: { readonly option: string; readonly field: string },
): Promise<Shown> {
  const nameOrId = flags[option];
  return typeof nameOrId === 'string' ? { [field]: (await client.show(ENGINE, nameOrId))['id'] } : {};
}
