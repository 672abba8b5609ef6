import type { DomainSpec } from '../../protocol/engineSpec';
import { type Link, readLinks, readRoutes, readRules, runSteps } from './ip';
import { type PlannedStep, planLinks, planRouting } from './plan';
import { interfaceName, type Wanted } from './wanted';

/** What came of it. */
export interface LinksBroughtAbout {
  readonly failures: ReadonlyMap<PlannedStep, string>;
  /** The interfaces as they were seen to be right, but for what failed: whatever differs later, somebody else has done. */
  readonly links: readonly Link[];
}

/** What one step brings, such as an address that goes with another one, is put right by the next round. */
const MOST_ROUNDS = 3;

/** Makes interfaces, then routes and rules, as wanted. */
export async function bringLinksAbout(namespace: string, wanted: Wanted): Promise<LinksBroughtAbout> {
  let failures = new Map<PlannedStep, string>();
  const take = async (steps: readonly PlannedStep[]) => {
    for (const [step, reason] of await runSteps(namespace, steps)) failures.set(step as PlannedStep, reason);
  };
  let links = await readLinks(namespace);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const steps = planLinks(wanted, links);
    if (steps.length === 0) break;
    failures = new Map();
    await take(steps);
    links = await readLinks(namespace);
  }
  await take(await planMissing(namespace, wanted, links));
  return { failures, links };
}

/** What is not as wanted of routes and rules. */
async function planMissing(namespace: string, wanted: Wanted, links: readonly Link[]): Promise<readonly PlannedStep[]> {
  const families = [4, 6] as const;
  const routes = await Promise.all(families.map((family) => readRoutes(namespace, family)));
  const rules = await Promise.all(families.map((family) => readRules(namespace, family)));
  const present = new Set(links.map(({ ifname }) => ifname));
  const having = {
    routes: families.flatMap((family, index) => (routes[index] ?? []).map((route) => ({ ...route, family }))),
    rules: families.flatMap((family, index) => (rules[index] ?? []).map((rule) => ({ ...rule, family }))),
  };
  return planRouting(wanted, having, present);
}

/** True unless somebody else has changed routes or rules. */
export async function isRouted(namespace: string, wanted: Wanted, links: readonly Link[]): Promise<boolean> {
  return (await planMissing(namespace, wanted, links)).length === 0;
}

/** True if the interface of the VIPs is in the namespace: what load balancers cannot do without. */
export function isThere({ vnics: [first] }: DomainSpec, links: readonly Link[]): boolean {
  return first === undefined || links.some(({ ifname }) => ifname === interfaceName(first));
}

/** What is compared to see whether somebody else has changed interfaces. Link-local addresses come by themselves. */
export function fingerprint(links: readonly Link[]): string {
  return JSON.stringify(
    links.map(({ ifindex, ifname, mtu, flags, addr_info }) => [
      ifindex,
      ifname,
      mtu,
      flags.includes('UP'),
      addr_info.filter((entry) => entry?.scope !== 'link').map((entry) => entry?.local),
    ]),
  );
}
