import type { TraceFacts } from './facts';
import type { Fault, Finding } from './fault';
import { BGP_CONFIGURATION_FAULTS, BGP_SESSION_FAULTS } from './faults/bgp';
import { ENGINE_FAULTS, LATE_ENGINE_FAULTS } from './faults/engines';
import { DEAD_VIP_FAULTS, FLOATING_IP_FAULTS } from './faults/floatingIp';
import { MEMBER_FAULTS } from './faults/members';
import { LATE_NAMESPACE_FAULTS, NAMESPACE_FAULTS } from './faults/namespace';
import { PATH_FAULTS } from './faults/paths';
import { WANTED_FAULTS } from './faults/wanted';
import { LATE_WIRING_FAULTS, WIRING_FAULTS } from './faults/wiring';

/**
 * All known ways in which a VIP breaks, causes before what follows from them: where several are found, the first is the one
 * to mend.
 */
export const CATALOGUE: readonly Fault[] = [
  ...WANTED_FAULTS,
  ...ENGINE_FAULTS,
  ...WIRING_FAULTS,
  ...BGP_CONFIGURATION_FAULTS,
  ...FLOATING_IP_FAULTS,
  ...NAMESPACE_FAULTS,
  ...BGP_SESSION_FAULTS,
  ...DEAD_VIP_FAULTS,
  ...MEMBER_FAULTS,
  ...PATH_FAULTS,
  ...LATE_WIRING_FAULTS,
  ...LATE_NAMESPACE_FAULTS,
  ...LATE_ENGINE_FAULTS,
];

/** What is wrong, the likely cause of the rest first. Pure. */
export function diagnose(facts: TraceFacts): readonly Finding[] {
  return CATALOGUE.flatMap((fault) => fault.find(facts).map((sighting) => ({ fault: fault.name, ...sighting })));
}
