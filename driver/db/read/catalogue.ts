import { bool, type ReadModel, text } from './model';

/** Flavors, availability zones and their profiles. The all-zero id is Octavia's mark for deleted ones: it is not there. */

const NIL = '00000000-0000-0000-0000-000000000000';
const NOT_NIL = `o.id <> '${NIL}'`;

export const flavors: ReadModel = {
  from: 'flavor o',
  visible: NOT_NIL,
  columns: () => ['o.id', 'o.name', 'o.description', 'o.enabled', 'o.flavor_profile_id'],
  attributes: {
    id: text('o.id'),
    name: text('o.name'),
    description: text('o.description'),
    enabled: bool('o.enabled'),
    flavor_profile_id: text('o.flavor_profile_id'),
  },
};

export const flavorProfiles: ReadModel = {
  from: 'flavor_profile o',
  visible: NOT_NIL,
  columns: () => ['o.id', 'o.name', 'o.provider_name', 'o.flavor_data'],
  attributes: {
    id: text('o.id'),
    name: text('o.name'),
    provider_name: text('o.provider_name'),
    flavor_data: text('o.flavor_data'),
  },
};

export const availabilityZones: ReadModel = {
  from: 'availability_zone o',
  key: 'name',
  visible: `o.name <> '${NIL}'`,
  columns: () => ['o.name', 'o.description', 'o.enabled', 'o.availability_zone_profile_id'],
  attributes: {
    name: text('o.name'),
    description: text('o.description'),
    enabled: bool('o.enabled'),
    availability_zone_profile_id: text('o.availability_zone_profile_id'),
  },
};

export const availabilityZoneProfiles: ReadModel = {
  from: 'availability_zone_profile o',
  visible: NOT_NIL,
  columns: () => ['o.id', 'o.name', 'o.provider_name', 'o.availability_zone_data'],
  attributes: {
    id: text('o.id'),
    name: text('o.name'),
    provider_name: text('o.provider_name'),
    availability_zone_data: text('o.availability_zone_data'),
  },
};
