import { forgetWiring, listWiringOn } from '../../../db/wiring';
import type { ContrailEngineClouds, ContrailEngineTarget } from '../../contrailEngineTarget';
import { healthCheckName } from '../../contrailNames';
import type { Kind } from '../../kind';

/** A port of an engine that VIPs are answered for on. */
export interface WiredEnginePort {
  readonly engineId: string;
  readonly portId: string;
  readonly groupId: string;
  /** The vRouter checks whether the engine lives. */
  readonly checked: boolean;
}

/**
 * Has the vRouter check each port, so that it drops the routes of a dead engine by itself. A port that is to go leaves
 * floating IPs and pairs: Neutron would empty these floating IPs for all engines.
 */
export const enginePorts: Kind<WiredEnginePort, ContrailEngineTarget, ContrailEngineClouds> = {
  name: 'engine-port',
  key: ({ portId }) => portId,
  desired: ({ engine, vnics, checks }) =>
    engine.deleting
      ? []
      : vnics
          .filter(({ deleting }) => !deleting)
          .map(({ portId }) => ({ engineId: engine.id, portId, groupId: engine.groupId, checked: checks })),
  async observed({ engine }, { contrail, interfaces }) {
    const name = healthCheckName(contrail, engine.groupId);
    return (await interfaces()).map(({ id: portId, healthChecks }) => ({
      ...{ engineId: engine.id, portId, groupId: engine.groupId },
      checked: healthChecks.includes(name),
    }));
  },
  same: (want, have) => want.checked === have.checked,
  async put({ portId, groupId }, { contrail, interfaces }) {
    const { healthCheck } = contrail.settings;
    const port = (await interfaces()).find(({ id }) => id === portId);
    const name = healthCheckName(contrail, groupId);
    if (!port) return;
    if (healthCheck === null) await contrail.driver.clearHealthCheck(name, [port]);
    else await contrail.driver.setHealthCheck(name, healthCheck, [port]);
  },
  async remove({ portId, engineId }, { contrail, run }) {
    const { driver, pairs } = contrail;
    for (const { id } of await driver.listFloatingIps([portId])) await driver.unlinkFloatingIp(id, portId);
    const wired = (await listWiringOn(run.parts.db, engineId)).filter(
      (it) => it.portId === portId && it.mode === 'aap',
    );
    if (wired.length === 0) return;
    await pairs.change([{ portId, put: [], remove: wired.map(({ address }) => address) }]);
    for (const record of wired) await forgetWiring(run.parts.db, record);
  },
};
