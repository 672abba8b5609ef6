/** Which protocols go together: facts of the Octavia API that the edge, the commands and the data plane share. */

export type Transport = 'tcp' | 'udp' | 'sctp';

/** Two listeners of a load balancer may share a port number if their transports differ. */
export function transportOf(protocol: string): Transport {
  if (protocol === 'UDP') return 'udp';
  return protocol === 'SCTP' ? 'sctp' : 'tcp';
}

/** True for the protocols that have no byte stream: UDP and SCTP. */
export function isDatagram(protocol: string): boolean {
  return transportOf(protocol) !== 'tcp';
}

/** Pool protocols a listener of the protocol may send to. */
export const POOL_PROTOCOLS: Readonly<Record<string, readonly string[]>> = {
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
  HTTPS: ['HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  TERMINATED_HTTPS: ['HTTP', 'PROXY', 'PROXYV2'],
  UDP: ['UDP'],
  SCTP: ['SCTP'],
  PROMETHEUS: [],
};

/** L7 policies need to read HTTP. */
export function canHaveL7Policies(listenerProtocol: string): boolean {
  return listenerProtocol === 'HTTP' || listenerProtocol === 'TERMINATED_HTTPS';
}
