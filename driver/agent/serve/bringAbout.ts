import type { LoadBalancerSpec } from '../../protocol/spec';
import { type Fault, passingFault, withoutFaults } from '../haproxy/fault';
import { endpoints, type Layout, layOut, socketAddress } from '../haproxy/layout';
import { whyNotBindable } from '../process/tryBind';
import { type HeldSpec, storeSpec } from '../state/specStore';
import { errorMessage } from '../systemError';
import { activate, shutDown } from './activate';
import { admitSpec } from './admission';
import { ActivationError, changedObjects } from './culprits';
import { watchPings } from './pings';
import type { Unit } from './unit';

/** Rounds of leaving objects out; each takes at least one. */
const MOST_ROUNDS = 100;

/**
 * Takes on a spec: stores it, puts in force what of it can be, and tells what cannot. Never throws: what goes wrong is in
 * the result. `refused` means that the engine serves on what it served before.
 */
export async function bringAbout(unit: Unit, spec: LoadBalancerSpec): Promise<HeldSpec> {
  let held: HeldSpec;
  try {
    held = await tryToBringAbout(unit, spec);
    if (held.outcome === 'applied') {
      unit.inForce = spec;
      await unit.deps.networks.serve(unit.id, [spec]);
      await unit.materials.keepOnly([spec]).catch(() => undefined);
    }
  } catch (error) {
    const reason = errorMessage(error);
    unit.deps.log.warn({ loadBalancer: spec.id, generation: spec.generation, err: error }, 'a spec was refused');
    const faults = changedObjects(unit.inForce, spec).map(({ kind, id }) => passingFault(kind, id, reason));
    held = { spec, outcome: 'refused', faults };
    await unit.deps.networks
      .serve(unit.id, unit.inForce === null ? [] : [unit.inForce])
      .catch((err: unknown) => unit.deps.log.warn({ loadBalancer: spec.id, err }, 'its networks are not as they were'));
  }
  unit.held = held;
  await watchPings(unit);
  return held;
}

async function tryToBringAbout(unit: Unit, spec: LoadBalancerSpec): Promise<HeldSpec> {
  const place = unit.deps.networks.place(spec.domainId);
  if ('problem' in place) {
    return { spec, outcome: 'refused', faults: [passingFault('loadbalancer', spec.id, place.problem)] };
  }
  await settleIn(unit, place.namespace);
  await unit.materials.retry();
  const admission = admitSpec(unit, spec);
  const unserved = admission.faults.filter(({ kind }) => kind === 'loadbalancer');
  if (unserved.length > 0) return { spec, outcome: 'refused', faults: unserved };
  // First, so that a disk that takes no spec is found before anything has changed.
  const known = unit.held?.spec.digest === spec.digest ? unit.held.faults : [];
  await storeSpec(unit.paths, { spec, outcome: 'applied', faults: [...known] });

  // Both, until it is known which: what is served goes on, and what is to come finds its VIPs and ports.
  await unit.deps.networks.serve(unit.id, [...(unit.inForce === null ? [] : [unit.inForce]), spec]);
  const wanted = await withUsablePeers(unit, admission.spec);
  let faults = [...admission.faults, ...missingPing(unit, admission.spec)];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const layout = layOut(withoutFaults(wanted, faults));
    const unbound = await bindFaults(unit, layout);
    const found = unbound.length > 0 ? unbound : await activate(unit, layout);
    if (found.length > 0) {
      faults = [...faults, ...found];
      continue;
    }
    const udpFaults = await unit.udp.bringAbout(withoutFaults(admission.spec, faults));
    return await conclude(unit, { spec, outcome: 'applied', faults: [...faults, ...udpFaults] }, known);
  }
  throw new ActivationError('haproxy refuses the configuration whatever is left out of it');
}

/** A load balancer that has come to another domain begins anew there. */
async function settleIn(unit: Unit, namespace: string | null): Promise<void> {
  if (unit.namespace === namespace) return;
  await Promise.all([shutDown(unit), unit.udp.shutDown()]);
  unit.namespace = namespace;
  unit.inForce = null;
}

async function conclude(unit: Unit, held: HeldSpec, stored: readonly Fault[]): Promise<HeldSpec> {
  if (JSON.stringify(held.faults) !== JSON.stringify(stored)) await storeSpec(unit.paths, held);
  return held;
}

/** Listeners that cannot be bound. What the running haproxy has bound already needs no trial. */
async function bindFaults(unit: Unit, layout: Layout): Promise<Fault[]> {
  const bound = unit.running?.endpoints;
  const faults = new Map<string, Fault>();
  for (const endpoint of endpoints(layout)) {
    if (bound?.has(socketAddress(endpoint.address, endpoint.port)) || faults.has(endpoint.listenerId)) continue;
    const reason = await whyNotBindable(endpoint, 'tcp', unit.namespace);
    if (reason !== null) faults.set(endpoint.listenerId, passingFault('listener', endpoint.listenerId, reason));
  }
  return [...faults.values()];
}

/** Clients are served all the same where the port for other engines is taken. */
async function withUsablePeers(unit: Unit, spec: LoadBalancerSpec): Promise<LoadBalancerSpec> {
  const { peers, ...alone } = spec;
  if (peers === undefined || unit.running?.endpoints.has(socketAddress(peers.address, peers.port))) return spec;
  const { address, port } = peers;
  const reason = await whyNotBindable({ listenerId: spec.id, address, port }, 'tcp', unit.namespace);
  if (reason === null) return spec;
  unit.deps.log.warn({ loadBalancer: spec.id, reason }, 'what is learnt of clients stays on this engine');
  return alone;
}

function missingPing(unit: Unit, spec: LoadBalancerSpec): Fault[] {
  if (unit.pinger !== null) return [];
  return spec.pools.flatMap(({ monitor }) =>
    monitor?.type === 'PING' ? [passingFault('healthmonitor', monitor.id, 'this engine has no ping command')] : [],
  );
}

/** True if every fault that time may heal is a listener, and none of these could be bound now: another try is idle. */
export async function isStillUnbindable(unit: Unit, held: HeldSpec): Promise<boolean> {
  const open = held.faults.filter(({ heals }) => heals === 'later');
  if (held.outcome === 'refused' || open.some(({ kind }) => kind !== 'listener')) return false;
  const listeners = held.spec.listeners.filter(({ id }) => open.some((fault) => fault.id === id));
  const faults = await bindFaults(unit, layOut({ ...held.spec, listeners }));
  return faults.length === open.length;
}
