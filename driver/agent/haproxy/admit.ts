import { isIP } from 'node:net';
import type { ListenerSpec, LoadBalancerSpec } from '../../protocol/spec';
import { policyFaults } from './admitL7';
import { admitPool } from './admitPool';
import { listenerTlsFaults } from './admitTls';
import { isAddress, isUsableId } from './admitValue';
import { type Fault, fault, withoutFaults } from './fault';
import { logFaults } from './log';

/** What of a spec this engine can carry at all, before any daemon is asked. */
export interface Admission {
  readonly spec: LoadBalancerSpec;
  readonly faults: readonly Fault[];
}

const CARRIED = ['HTTP', 'HTTPS', 'TCP', 'TERMINATED_HTTPS', 'PROMETHEUS', 'UDP'];

/**
 * Sorts out what this version does not carry or what could not be written into a configuration. Pure. A fault of kind
 * `loadbalancer` means that nothing of the spec can be served.
 */
export function admit(spec: LoadBalancerSpec): Admission {
  const faults = [...loadBalancerFaults(spec), ...listenerFaults(spec.listeners)];
  const pools = spec.pools.map(admitPool);
  const all = [...faults, ...pools.flatMap((pool) => pool.faults)];
  return { spec: withoutFaults({ ...spec, pools: pools.map(({ pool }) => pool) }, all), faults: all };
}

function loadBalancerFaults(spec: LoadBalancerSpec): Fault[] {
  const refuse = (reason: string) => [fault('loadbalancer', spec.id, reason)];
  if (!isUsableId(spec.id)) return refuse('its id has characters an engine cannot use');
  if (spec.vips.length === 0) return refuse('it has no VIP');
  const bad = spec.vips.find((vip) => !isAddress(vip));
  return bad === undefined ? [] : refuse(`its VIP ${JSON.stringify(bad)} is not an IP address`);
}

function listenerFaults(listeners: readonly ListenerSpec[]): Fault[] {
  const ports = new Set<string>();
  return listeners.flatMap((listener) => {
    const port = `${listener.protocol === 'UDP' ? 'udp' : 'tcp'} ${listener.port}`;
    const reason = whyListenerCannotBeCarried(listener) ?? (ports.has(port) ? 'its port is used twice' : null);
    if (reason !== null) return [fault('listener', listener.id, reason)];
    ports.add(port);
    return [...logFaults(listener), ...listenerTlsFaults(listener), ...policyFaults(listener)];
  });
}

function whyListenerCannotBeCarried(listener: ListenerSpec): string | null {
  if (!isUsableId(listener.id)) return 'its id has characters an engine cannot use';
  if (!CARRIED.includes(listener.protocol))
    return `this engine does not carry listeners of protocol ${listener.protocol}`;
  const cidr = listener.allowedCidrs.find((candidate) => !isCidr(candidate));
  return cidr === undefined ? null : `its allowed CIDR ${JSON.stringify(cidr)} is not a network`;
}

function isCidr(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  if (rest.length > 0 || !isAddress(address)) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIP(address) === 4 ? 32 : 128);
}
