import { EngineFacts, type Inspect, type Inspection, MOST } from '../../protocol/inspection';
import type { LoadBalancerSpec } from '../../protocol/spec';
import type { Bgp } from '../bgp/bgp';
import { namespaceIdentity } from '../network/namespace';
import type { Networks } from '../network/networks';
import type { Engine } from '../serve/engine';
import { errorMessage } from '../systemError';
import { inspectDomain, inspectHost } from './network';

/** What is asked how a load balancer is served. */
export interface InspectorDeps {
  readonly engine: Pick<Engine, 'spec' | 'inspect'>;
  readonly networks: Pick<Networks, 'domains' | 'place'>;
  readonly bgp: Pick<Bgp, 'states' | 'problems'>;
}

/** Answers in any case, and soon: a look that takes longer is given up. Several at a time are looked at one by one. */
export interface Inspector {
  inspect(request: Inspect): Promise<Inspection>;
}

/** Milliseconds. */
const LONGEST = 3_000;
/** Characters of a text, less than the protocol lets pass. */
const LONGEST_TEXT = 480;

export function createInspector(deps: InspectorDeps): Inspector {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    inspect(request) {
      const answer = tail.then(() => inspectInTime(deps, request));
      tail = answer;
      return answer;
    },
  };
}

async function inspectInTime(deps: InspectorDeps, { inspectionId, loadBalancerId }: Inspect): Promise<Inspection> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${LONGEST} ms`)), LONGEST);
  });
  const answer = { type: 'inspection', inspectionId } as const;
  try {
    const facts = await Promise.race([look(deps, loadBalancerId), late]);
    return { ...answer, problem: null, facts: EngineFacts.parse(clip(facts)) };
  } catch (error) {
    return { ...answer, problem: errorMessage(error).slice(0, LONGEST_TEXT), facts: null };
  } finally {
    clearTimeout(timer);
  }
}

async function look({ engine, networks, bgp }: InspectorDeps, id: string): Promise<EngineFacts> {
  const spec = engine.spec(id);
  const unit = await engine.inspect(id);
  if (spec === null || unit === null) throw new Error('the engine does not serve the load balancer');
  const domain = networks.domains().find((it) => it.spec.id === spec.domainId);
  const network =
    spec.domainId === null
      ? await inspectHost(spec.vips)
      : domain
        ? await inspectDomain(domain, spec.vips)
        : { ...NO_NETWORK, missingAddresses: [...spec.vips] };
  return { ...unit, ...network, namespace: namespaceOf(spec, networks), bgp: bgpOf(spec, domain, bgp) };
}

const NO_NETWORK = { interfaces: [], routes: [], missingRoutes: [], neighbours: [], unread: [] };

function namespaceOf({ domainId }: LoadBalancerSpec, networks: InspectorDeps['networks']): EngineFacts['namespace'] {
  if (domainId === null) return null;
  const domain = networks.domains().find(({ spec }) => spec.id === domainId);
  const place = networks.place(domainId);
  const name = domain?.namespace ?? '';
  return {
    name,
    exists: name !== '' && namespaceIdentity(name) !== null,
    ready: domain?.ready ?? false,
    problems: 'problem' in place ? [place.problem] : [],
  };
}

function bgpOf(
  { domainId, announcement }: LoadBalancerSpec,
  domain: ReturnType<InspectorDeps['networks']['domains']>[number] | undefined,
  bgp: InspectorDeps['bgp'],
): EngineFacts['bgp'] {
  if (announcement === undefined || domain?.spec.bgp === undefined) return null;
  const state = bgp.states().find((it) => it.domainId === domainId);
  return state ? { peers: state.peers, announced: state.announced } : { peers: [], announced: [] };
}

/** Keeps lists and texts within what the protocol lets pass. */
function clip<T>(value: T): T {
  if (typeof value === 'string') return value.slice(0, LONGEST_TEXT) as T;
  if (Array.isArray(value)) return value.slice(0, MOST).map(clip) as T;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clip(one)])) as T;
}
