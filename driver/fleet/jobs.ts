import type { ComputeDriver } from '../clouds/compute/port';
import type { NetworkDriver } from '../clouds/network/port';
import { followLoad } from './elasticity';
import { ensureFleet, type FleetDeps } from './ensureFleet';
import { healGroups } from './heal';
import { healingSettings } from './healingSettings';
import { createLeftoverSearch } from './leftoverServers';
import { advanceReboots } from './reboot';
import { tellSharedHosts } from './sharedHosts';
import { advanceUpgrades } from './upgrade';

/** Something housekeeping does again and again, in one process of all at a time. */
export interface FleetJob {
  /** Of its lease. */
  readonly name: string;
  /** Seconds between two runs. */
  readonly interval: number;
  run(): Promise<void>;
}

export type FleetJobParts = FleetDeps & { readonly compute: ComputeDriver; readonly network: NetworkDriver };

/** A call may have been lost whose server has a row only a moment later, so there is some grace. Milliseconds. */
const LEFTOVER_GRACE = 600_000;

/** The fleet's periodic jobs. The first is also called at the start of the embedded site, which so has its engine at once. */
export function fleetJobs(parts: FleetJobParts): readonly FleetJob[] {
  const { db, bus, compute, network, log, config } = parts;
  const { owner_tag: ownerTag, tenancy_mode: tenancyMode } = config.service_engine;
  return [
    { name: 'fleet', interval: 5, run: () => ensureFleet(parts) },
    {
      name: 'healing',
      interval: 2,
      run: () => healGroups({ ...{ db, bus, log, compute }, settings: healingSettings(config.service_engine) }),
    },
    { name: 'elasticity', interval: 2, run: () => followLoad(parts) },
    { name: 'upgrade', interval: 2, run: () => advanceUpgrades(parts) },
    { name: 'reboot', interval: 2, run: () => advanceReboots(parts) },
    { name: 'shared-hosts', interval: 60, run: () => tellSharedHosts(parts) },
    {
      name: 'leftover-servers',
      interval: 60,
      run: createLeftoverSearch({
        ...{ db, compute, network, ownerTag, log, tenancyMode },
        ...{ grace: LEFTOVER_GRACE, now: () => performance.now() },
      }),
    },
  ];
}
