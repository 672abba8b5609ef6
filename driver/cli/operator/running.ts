import { type Command, InvalidArgumentError, Option } from 'commander';
import type { OperatorClient, Shown } from './client';
import { type FoundIdentity, findIdentity, IDENTITY_OPTIONS, type Identity, type IdentityOption } from './identity';
import { FORMATS, type Format } from './output';

/** What the operator's commands have in common: who asks, how it is shown, and what options look like. */

export type Flags = Readonly<Record<string, unknown>> & { readonly format: Format };

/** Who asks, and how what is found is shown. */
export function withIdentity(command: Command): Command {
  command
    .addOption(new Option('-f, --format <format>', 'how to show it').choices(FORMATS).default('table'))
    .option('--os-cloud <name>', 'the cloud of clouds.yaml (OS_CLOUD)')
    .option('--insecure', 'do not check certificates (OS_INSECURE)');
  for (const [name, what] of Object.entries(IDENTITY_OPTIONS)) {
    command.option(`--os-${kebab(name)} <value>`, `${what} (OS_${name.toUpperCase()})`);
  }
  return command;
}

/** Who the flags of `withIdentity` and the environment name. @throws Error when they name a cloud that is not known */
export function identityOf(flags: Flags): FoundIdentity {
  const given: Identity = {};
  for (const name of Object.keys(IDENTITY_OPTIONS) as IdentityOption[]) {
    const value = flags[camel(`os_${name}`)];
    if (typeof value === 'string') given[name] = value;
  }
  const cloud = flags['osCloud'];
  return findIdentity({
    flags: given,
    ...(typeof cloud === 'string' ? { cloud } : {}),
    insecure: flags['insecure'] === true,
    env: process.env,
  });
}

export async function run(flags: Flags, work: (client: OperatorClient) => Promise<unknown>): Promise<void> {
  const { openOperatorClient } = require('./client') as typeof import('./client');
  const client = await openOperatorClient(identityOf(flags));
  try {
    const text = await work(client);
    if (typeof text === 'string' && text !== '') process.stdout.write(`${text}\n`);
  } finally {
    await client.close();
  }
}

export function pairs(flags: string, description: string): Option {
  return new Option(flags, description).default({}, 'none').argParser((text: string, before: Shown) => {
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (name === undefined) throw new InvalidArgumentError('It has to be name=value.');
    return { ...before, [name]: value };
  });
}

export function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

export function atLeastOne(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It has to be a number from 1 up.');
  return Number(text);
}

export function kebab(name: string): string {
  return name.replaceAll('_', '-');
}

export function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
