/** What an availability zone profile of this provider may say, in the order users are shown. */
export const AVAILABILITY_ZONE_CAPABILITIES: Readonly<Record<string, string>> = {
  compute_zone: 'The compute availability zone.',
  volume_zone: 'The volume availability zone.',
  management_network: 'The management network ID for the engines.',
  valid_vip_networks: 'List of network IDs that are allowed for VIP use.',
  service_engine_group: 'Name or id of the service engine group of load balancers whose flavor names none.',
};
