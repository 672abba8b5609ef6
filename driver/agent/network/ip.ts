import { z } from 'zod';
import type { Command } from '../process/enter';
import { read, run } from './commands';

/** What is read of `ip -json` (iproute2). */
const Address = z.object({
  local: z.string(),
  prefixlen: z.number().int(),
  scope: z.string().optional(),
  deprecated: z.boolean().optional(),
});
const Link = z.object({
  ifindex: z.number().int(),
  ifname: z.string(),
  address: z.string().optional(),
  link_type: z.string(),
  mtu: z.number().int(),
  flags: z.array(z.string()),
  addr_info: z
    .array(
      z.union([
        Address,
        z
          .object({})
          .strict()
          .transform(() => null),
      ]),
    )
    .default([]),
});
export type Link = z.infer<typeof Link>;
const Route = z.object({
  dst: z.string(),
  gateway: z.string().optional(),
  dev: z.string().optional(),
  metric: z.number().int().optional(),
  table: z.string().optional(),
});
export type Route = z.infer<typeof Route>;
const Rule = z.object({
  priority: z.number().int(),
  src: z.string(),
  srclen: z.number().int().optional(),
});
export type Rule = z.infer<typeof Rule>;

export type Family = 4 | 6;

/** The interfaces of a namespace with their addresses; null is where the agent itself is. */
export async function readLinks(namespace: string | null): Promise<Link[]> {
  return parse(z.array(Link), await read(ip(namespace, ['-json', 'address', 'show'])));
}

/** Every route of protocol `static`, in all tables. */
export async function readRoutes(namespace: string, family: Family): Promise<Route[]> {
  const words = ['-json', `-${family}`, 'route', 'show', 'table', 'all', 'proto', 'static'];
  return parse(z.array(Route), await read(ip(namespace, words)));
}

export async function readRules(namespace: string, family: Family): Promise<Rule[]> {
  return parse(z.array(Rule), await read(ip(namespace, ['-json', `-${family}`, 'rule', 'show'])));
}

/** Runs `ip` in a namespace. Rejects with what it said if it fails. */
export async function changeLink(namespace: string | null, ...words: string[]): Promise<void> {
  await read(ip(namespace, words));
}

/** A line of `ip -batch`. */
export interface Step {
  readonly family: Family;
  readonly words: string;
}

/** Runs all the steps, also after one that fails; gives what was said of those that did, by step. */
export async function runSteps(namespace: string, steps: readonly Step[]): Promise<Map<Step, string>> {
  const failures = new Map<Step, string>();
  for (const family of [4, 6] as const) {
    const own = steps.filter((step) => step.family === family);
    if (own.length === 0) continue;
    const input = own.map(({ words }) => `${words}\n`).join('');
    const { stderr } = await run(ip(namespace, [`-${family}`, '-force', '-batch', '-']), input);
    for (const [line, reason] of complaints(stderr)) {
      const step = own[line - 1];
      if (step !== undefined) failures.set(step, reason);
    }
  }
  return failures;
}

/** What was said before each `Command failed -:<line>`. */
function complaints(output: string): [number, string][] {
  const found: [number, string][] = [];
  let said: string[] = [];
  for (const text of output.split('\n').map((line) => line.trim())) {
    const line = /^Command failed .*:(\d+)$/.exec(text)?.[1];
    if (line === undefined) {
      if (text !== '') said.push(text.replace(/^(?:Error|RTNETLINK answers): /, ''));
      continue;
    }
    found.push([Number(line), said.join(' ').replace(/\.$/, '')]);
    said = [];
  }
  return found;
}

function ip(namespace: string | null, words: readonly string[]): Command {
  return { file: 'ip', words: [...(namespace === null ? [] : ['-n', namespace]), ...words] };
}

/** An empty list comes as nothing at all, and what was filtered out as `{}`. */
function parse<T>(schema: z.ZodType<T[]>, text: string): T[] {
  const all: unknown = text.trim() === '' ? [] : JSON.parse(text);
  return schema.parse(Array.isArray(all) ? all.filter((one) => Object.keys(one ?? {}).length > 0) : all);
}
