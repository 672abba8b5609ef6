import { bgpServiceCalls, readGlobals } from './bgpServices';
import { floatingIpCalls } from './floatingIps';
import { createHealthChecks } from './healthChecks';
import { changePairs, listInterfaces } from './interfaces';
import { inventoryCalls } from './inventory';
import type { ContrailDriver } from './port';
import { routeTableCalls } from './routeTables';
import type { VncService } from './service';
import { survey } from './survey/survey';
import { createVnc } from './vnc';

export interface ContrailDriverDeps {
  readonly service: VncService;
  /** Named to the operator where the service's user lacks it. */
  readonly role: string;
  /** Milliseconds, monotonic. */
  readonly now?: () => number;
}

/** Contrail over its configuration API, as a cloud admin. Keeps what hardly changes: pools, projects, checks, the global AS. */
export function createContrailDriver({
  service,
  role,
  now = () => performance.now(),
}: ContrailDriverDeps): ContrailDriver {
  const vnc = createVnc(service, role);
  const bgp = bgpServiceCalls(vnc, now);
  return {
    listInterfaces: (portIds) => listInterfaces(vnc, portIds),
    changePairs: (changes) => changePairs(vnc, changes),
    ...createHealthChecks(vnc),
    ...floatingIpCalls(vnc),
    ...bgp,
    ...inventoryCalls(vnc, () => readGlobals(vnc)),
    ...routeTableCalls(vnc),
    survey: (asked) => survey(vnc, asked),
  };
}
