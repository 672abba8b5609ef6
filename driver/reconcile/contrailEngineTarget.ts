import type { Interface } from '../clouds/contrail/port';
import type { BgpVnic } from '../db/bgpServices';
import type { Engine } from '../domain/engine';
import type { Vnic } from '../domain/vnic';
import type { ContrailParts } from './contrailTarget';
import type { EngineRun, RunNotes } from './engineRun';

/** What the kinds of an engine's unit are computed from in Contrail. */
export interface ContrailEngineTarget {
  readonly engine: Engine;
  /** Those that have a port. */
  readonly vnics: readonly PortedVnic[];
  readonly bgp: readonly BgpVnic[];
  /** The vRouter is to check the ports. */
  readonly checks: boolean;
}

export type PortedVnic = Vnic & { readonly portId: string };

export interface ContrailEngineClouds {
  readonly contrail: ContrailParts;
  readonly run: EngineRun;
  readonly notes: RunNotes;
  /** What Contrail says of the engine's ports: asked once a pass. */
  readonly interfaces: () => Promise<readonly Interface[]>;
}
