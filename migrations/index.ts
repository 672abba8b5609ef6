import type { Knex } from 'knex';
import { catalogueTables } from './0001_catalogue';
import { loadBalancerTables } from './0002_load_balancer';
import { l7Tables } from './0003_l7';
import { fleetTables } from './0004_fleet';
import { workTables } from './0005_work';
import { certificateConsumerTable } from './0006_certificate_consumer';
import { eventNotified } from './0007_event_notified';
import { engineNetworks } from './0008_engine_networks';
import { engineKinds } from './0009_engine_kinds';
import { serverLaunchedAt } from './0010_server_launched_at';
import { takenPortTable } from './0011_taken_port';
import { vipWithdrawn } from './0012_vip_withdrawn';
import { scaling } from './0013_scaling';
import { vipModes } from './0014_vip_modes';
import { engineCertificate } from './0015_engine_certificate';
import { octaviaImport } from './0016_octavia_import';
import { ownerProject } from './0017_owner_project';
import { bgpSessionTable } from './0018_bgp_session';
import { captureTables } from './0019_capture';
import { troubleTables } from './0020_trouble';
import { highAvailability } from './0021_high_availability';
import { inspectionTable } from './0022_inspection';
import { elasticity } from './0023_elasticity';
import { peerPortTable } from './0024_peer_port';
import { engineRebootTable } from './0025_engine_reboot';
import { engineReachTable } from './0026_engine_reach';

/** One step of the schema. Forward only; DDL cannot be rolled back on MySQL, so a step can be run again after a crash. */
export interface Migration {
  readonly name: string;
  up(db: Knex): Promise<void>;
}

/** In the order in which they run; a released entry never changes. */
export const migrations: readonly Migration[] = [
  { name: '0001_catalogue', up: catalogueTables },
  { name: '0002_load_balancer', up: loadBalancerTables },
  { name: '0003_l7', up: l7Tables },
  { name: '0004_fleet', up: fleetTables },
  { name: '0005_work', up: workTables },
  { name: '0006_certificate_consumer', up: certificateConsumerTable },
  { name: '0007_event_notified', up: eventNotified },
  { name: '0008_engine_networks', up: engineNetworks },
  { name: '0009_engine_kinds', up: engineKinds },
  { name: '0010_server_launched_at', up: serverLaunchedAt },
  { name: '0011_taken_port', up: takenPortTable },
  { name: '0012_vip_withdrawn', up: vipWithdrawn },
  { name: '0013_scaling', up: scaling },
  { name: '0014_vip_modes', up: vipModes },
  { name: '0015_engine_certificate', up: engineCertificate },
  { name: '0016_octavia_import', up: octaviaImport },
  { name: '0017_owner_project', up: ownerProject },
  { name: '0018_bgp_session', up: bgpSessionTable },
  { name: '0019_capture', up: captureTables },
  { name: '0020_trouble', up: troubleTables },
  { name: '0021_high_availability', up: highAvailability },
  { name: '0022_inspection', up: inspectionTable },
  { name: '0023_elasticity', up: elasticity },
  { name: '0024_peer_port', up: peerPortTable },
  { name: '0025_engine_reboot', up: engineRebootTable },
  { name: '0026_engine_reach', up: engineReachTable },
];
