import { fromBit } from '../../../driver/db/codecs';
import { availabilityZoneProfiles, availabilityZones } from '../../../driver/db/read/catalogue';
import type { AvailabilityZoneProfileRow, AvailabilityZoneRow } from '../../../driver/db/rows';
import type { Schemas } from '../../openapi/schemas';
import type { CatalogueKind } from '../catalogue';

export const AVAILABILITY_ZONE: CatalogueKind<AvailabilityZoneRow, Schemas['AvailabilityZoneView']> = {
  model: availabilityZones,
  view: ({ name, description, enabled, availability_zone_profile_id }) => ({
    name,
    description,
    enabled: fromBit(enabled),
    availability_zone_profile_id,
  }),
  title: 'Availability Zone',
  object: 'availability-zone',
  root: 'availability_zone',
  plural: 'availability_zones',
  linksKey: 'availability_zones_links',
  keyParam: 'name',
};

export const AVAILABILITY_ZONE_PROFILE: CatalogueKind<
  AvailabilityZoneProfileRow,
  Schemas['AvailabilityZoneProfileView']
> = {
  model: availabilityZoneProfiles,
  view: ({ id, name, provider_name, availability_zone_data }) => ({ id, name, provider_name, availability_zone_data }),
  title: 'Availability Zone Profile',
  object: 'availability-zone-profile',
  root: 'availability_zone_profile',
  plural: 'availability_zone_profiles',
  // Octavia's spelling, which clients look for.
  linksKey: 'availability_zone_profile_links',
  keyParam: 'availability_zone_profile_id',
};
