import { type Capability, isName, isNames } from '../profileValues';

/** What an availability zone profile of this provider may say, in the order users are shown. */
export const AVAILABILITY_ZONE_CAPABILITIES: Readonly<Record<string, Capability>> = {
  compute_zone: {
    description: 'The compute availability zone.',
    takes: isName,
  },
  volume_zone: {
    description: 'The volume availability zone.',
    takes: isName,
  },
  management_network: {
    description: 'The management network ID for the engines.',
    takes: isName,
  },
  valid_vip_networks: {
    description: 'List of network IDs that are allowed for VIP use.',
    takes: isNames,
  },
  service_engine_group: {
    description: 'Name or id of the service engine group of load balancers whose flavor names none.',
    takes: isName,
  },
};
