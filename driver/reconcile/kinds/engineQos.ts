import type { Kind } from '../kind';
import type { WiringClouds, WiringTarget } from '../wiringTarget';

/** The QoS policy of an engine's port that answers for VIPs. */
export interface EngineQos {
  readonly portId: string;
  readonly policyId: string | null;
}

/**
 * Sets the VIP's QoS policy on the port that its traffic leaves by, as Octavia does with its amphorae's. A port has one
 * policy: where load balancers on it want different ones it has none, for nobody's is to bind the others.
 */
export const engineQos: Kind<EngineQos, WiringTarget, WiringClouds> = {
  name: 'engine-qos',
  key: ({ portId }) => portId,
  desired: ({ policies }) => [...policies].map(([portId, wanted]) => ({ portId, policyId: common(wanted) })),
  observed: async ({ policies }, { network }) => {
    const ports = await Promise.all([...policies.keys()].map((id) => network.findPort(id)));
    return ports.flatMap((port) => (port ? [{ portId: port.id, policyId: port.qosPolicyId }] : []));
  },
  same: (want, have) => want.policyId === have.policyId,
  // A port that is gone is the engine's unit to make again.
  put: async ({ portId, policyId }, { network }, have) => {
    if (have) await network.updatePort(portId, { qosPolicyId: policyId });
  },
  remove: () => Promise.resolve(),
};

function common(wanted: readonly (string | null)[]): string | null {
  const [first = null, ...others] = new Set(wanted);
  return others.length === 0 ? first : null;
}
