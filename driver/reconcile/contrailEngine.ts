import type { Interface } from '../clouds/contrail/port';
import { listBgpVnics } from '../db/bgpServices';
import { hasVnics, listVnics } from '../db/vnics';
import type { ContrailEngineClouds, ContrailEngineTarget } from './contrailEngineTarget';
import { healthCheckName } from './contrailNames';
import type { ContrailParts } from './contrailTarget';
import type { EngineRun, RunNotes } from './engineRun';
import { underGroupLease } from './groupObjects';
import { runStages, type Stage, stageOf } from './kind';
import { bgpMembership } from './kinds/contrail/bgpMembership';
import { enginePorts } from './kinds/contrail/enginePorts';
import { hintEngineNetworks } from './loadBalancerRun';

/** A port leaves the floating IPs and its pairs first, then the sessions; the port itself goes after all this. */
const STAGES: readonly Stage<ContrailEngineTarget, ContrailEngineClouds>[] = [
  stageOf(bgpMembership),
  stageOf(enginePorts),
];

/**
 * Wires the ports of an engine: those that are to stay have what VIPs need of them, those that are to go are taken out of
 * everything, which Neutron must not find them in. Gives the number of steps.
 */
export async function wireEngine(run: EngineRun, contrail: ContrailParts, notes: RunNotes): Promise<number> {
  const { parts, engine, before } = run;
  const vnics = (await listVnics(parts.db, engine.id)).flatMap((it) =>
    it.portId === null || !it.vipSide ? [] : [{ ...it, portId: it.portId }],
  );
  if (vnics.length === 0) return 0;
  let asked: Promise<readonly Interface[]> | undefined;
  const interfaces = (): Promise<readonly Interface[]> => {
    asked ??= contrail.driver.listInterfaces(vnics.map(({ portId }) => portId));
    return asked;
  };
  const target = {
    engine,
    vnics,
    bgp: await listBgpVnics(parts.db, engine.id),
    checks: contrail.settings.healthCheck !== null,
  };
  const clouds = { contrail, run, notes, interfaces };
  const steps = await runStages(STAGES, { target, clouds, before });
  if (steps > 0 && !engine.deleting) await hintEngineNetworks(run, [engine.id]);
  return steps;
}

/** With the last vNIC of its engines goes what a group has in Contrail. */
export async function clearContrailGroup({ parts, engine, log }: EngineRun, contrail: ContrailParts): Promise<void> {
  const { groupId } = engine;
  if (contrail.settings.healthCheck === null || (await hasVnics(parts.db, groupId))) return;
  const clear = async (): Promise<void> => {
    if (await hasVnics(parts.db, groupId)) return;
    await contrail.driver.removeHealthChecks(healthCheckName(contrail, groupId));
  };
  await underGroupLease(parts, groupId, clear).catch((err: unknown) =>
    log.warn({ err, group: groupId }, 'the health check of a group without ports is left for now'),
  );
}
