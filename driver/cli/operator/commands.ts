import { type Command, Option } from 'commander';
import { GROUP_FIELDS, LIST_FIELDS } from '../../domain/groupFields';
import { addCaptureCommand } from './capture';
import type { OperatorClient, Shown } from './client';
import { addLoadBalancerCommands } from './loadBalancer';
import { ENGINE, EVENT, GROUP, type OperatorObject, PLACEMENT, PLACEMENT_PLAN } from './objects';
import { formatMany, formatOne } from './output';
import { atLeastOne, camel, collected, type Flags, kebab, pairs, run, withIdentity } from './running';
import { addTraceCommand } from './trace';
import { addUpgradeCommands } from './upgrade';

/** The commands over the operator API. They talk to that API alone, as whoever the environment says. */
export function addOperatorCommands(program: Command): void {
  for (const object of [GROUP, ENGINE, PLACEMENT, EVENT]) {
    const parent = program.command(object.word).description(`${object.title}s, by the operator API`);
    addList(parent, object);
    addShow(parent, object);
    if (object === GROUP) addGroupWrites(parent);
    if (object === GROUP) addUpgradeCommands(parent);
    if (object === GROUP) addDelete(parent, object, 'deletes a service engine group that has no engines');
    if (object === PLACEMENT) addExplain(parent);
    if (object === GROUP) addVerb(parent, object, 'resume', 'heals a group at once that a mass failure has stopped');
    if (object === ENGINE) for (const [verb, description] of ENGINE_VERBS) addVerb(parent, object, verb, description);
    if (object === ENGINE) addDelete(parent, object, 'retires a service engine; what is on it moves first');
  }
  addLoadBalancerCommands(program);
  addCaptureCommand(program);
  addTraceCommand(program);
}

function addList(parent: Command, object: OperatorObject): void {
  const command = withIdentity(parent.command('list').description(`lists ${object.title}s`));
  for (const name of Object.keys(object.filters)) command.option(`--${name} <value>`, `only of this ${name}`);
  command
    .addOption(pairs('--filter <attribute=value>', 'only with this value of an attribute; repeatable'))
    .option('--sort <key[:desc]>', 'attributes to sort by, comma-separated')
    .option('--limit <number>', 'objects at most', atLeastOne)
    .action((flags: Flags) =>
      run(flags, async (client) => {
        const filters: Record<string, string> = { ...(flags['filter'] as Record<string, string>) };
        for (const [name, attribute] of Object.entries(object.filters)) {
          const value = flags[name];
          if (typeof value === 'string') filters[attribute] = await attributeValue(client, object, { name, value });
        }
        if (typeof flags['sort'] === 'string') filters['sort'] = flags['sort'];
        const limit = flags['limit'] as number | undefined;
        const items = await client.list(object, { filters, ...(limit === undefined ? {} : { limit }) });
        return formatMany(items, object.columns, flags.format);
      }),
    );
}

/** Groups and engines may be named where the API wants their ids. */
async function attributeValue(
  client: OperatorClient,
  object: OperatorObject,
  { name, value }: { name: string; value: string },
): Promise<string> {
  const referred = [GROUP, ENGINE].find(({ word }) => word === name && word !== object.word);
  return referred ? String((await client.show(referred, value))['id']) : value;
}

function addShow(parent: Command, object: OperatorObject): void {
  withIdentity(parent.command('show').description(`shows one ${object.title}`))
    .argument(argumentOf(object))
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => formatOne(await client.show(object, nameOrId), flags.format)),
    );
}

function addExplain(parent: Command): void {
  withIdentity(parent.command(PLACEMENT_PLAN.word).description(`shows ${PLACEMENT_PLAN.title}`))
    .argument('<loadbalancer>', 'name or id')
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => {
        const id = await client.loadBalancerId(nameOrId);
        return formatOne(await client.show(PLACEMENT_PLAN, id), flags.format);
      }),
    );
}

function addDelete(parent: Command, object: OperatorObject, description: string): void {
  withIdentity(parent.command('delete').description(description))
    .argument(argumentOf(object))
    .action((nameOrId: string, flags: Flags) => run(flags, (client) => client.remove(object, nameOrId)));
}

const ENGINE_VERBS = [
  ['enable', 'has an engine take load balancers again'],
  ['disable', 'takes an engine out of service; what is on it moves first'],
  ['migrate', 'has all load balancers leave an engine'],
  ['switchover', 'has an engine hand over the pairs it is the master of'],
  ['reboot', 'reboots an engine; what it serves moves, or is handed over, first'],
] as const;

function addVerb(parent: Command, object: OperatorObject, ...[verb, description]: readonly [string, string]): void {
  withIdentity(parent.command(verb).description(description))
    .argument(argumentOf(object))
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => {
        const id = encodeURIComponent(String((await client.show(object, nameOrId))['id']));
        return formatOne(await client.ask(`${object.path}/${id}/${verb}`, {}, object.root), flags.format);
      }),
    );
}

function addGroupWrites(parent: Command): void {
  withFields(withIdentity(parent.command('create').description('makes a service engine group')))
    .argument('<name>')
    .action((name: string, flags: Flags) =>
      run(flags, async (client) => {
        return formatOne(await client.create(GROUP, { name, ...fieldsOf(flags) }), flags.format);
      }),
    );
  withFields(withIdentity(parent.command('set').description('changes a service engine group')))
    .argument(argumentOf(GROUP))
    .option('--name <name>', 'its new name')
    .addOption(
      new Option('--unset <field>', 'gives a field its default; repeatable').default([], 'none').argParser(collected),
    )
    .action((nameOrId: string, flags: Flags) =>
      run(flags, async (client) => {
        const unset = Object.fromEntries((flags['unset'] as readonly string[]).map((field) => [field, null]));
        const name = typeof flags['name'] === 'string' ? { name: flags['name'] } : {};
        const changed = await client.change(GROUP, nameOrId, { ...name, ...fieldsOf(flags), ...unset });
        return formatOne(changed, flags.format);
      }),
    );
}

function withFields(command: Command): Command {
  command.option('--description <text>', 'what it is for');
  for (const field of Object.keys(GROUP_FIELDS)) command.option(`--${kebab(field)} <value>`, `its ${field}`);
  return command.addOption(pairs('--property <field=value>', 'any other field of the API; repeatable'));
}

/** The API turns words into numbers and booleans, and says which fields there are. */
function fieldsOf(flags: Flags): Shown {
  const named = ['description', ...Object.keys(GROUP_FIELDS)]
    .map((field): [string, unknown] => [field, flags[camel(field)]])
    .filter(([, value]) => value !== undefined)
    .map(([field, value]) => [field, LIST_FIELDS.includes(field) ? String(value).split(',') : value]);
  return { ...(flags['property'] as Shown), ...Object.fromEntries(named) };
}

function argumentOf({ named }: OperatorObject): string {
  return named ? '<name-or-id>' : '<id>';
}
