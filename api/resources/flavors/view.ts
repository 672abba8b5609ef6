import { fromBit } from '../../../driver/db/codecs';
import { flavorProfiles, flavors } from '../../../driver/db/read/catalogue';
import type { FlavorProfileRow, FlavorRow } from '../../../driver/db/rows';
import type { Schemas } from '../../openapi/schemas';
import type { CatalogueKind } from '../catalogue';

export const FLAVOR: CatalogueKind<FlavorRow, Schemas['FlavorView']> = {
  model: flavors,
  view: ({ id, name, description, enabled, flavor_profile_id }) => ({
    id,
    name,
    description,
    enabled: fromBit(enabled),
    flavor_profile_id,
  }),
  title: 'Flavor',
  object: 'flavor',
  root: 'flavor',
  plural: 'flavors',
  linksKey: 'flavors_links',
  keyParam: 'flavor_id',
};

export const FLAVOR_PROFILE: CatalogueKind<FlavorProfileRow, Schemas['FlavorProfileView']> = {
  model: flavorProfiles,
  view: ({ id, name, provider_name, flavor_data }) => ({ id, name, provider_name, flavor_data }),
  title: 'Flavor profile',
  object: 'flavor-profile',
  root: 'flavorprofile',
  plural: 'flavorprofiles',
  // Octavia's spelling, which clients look for.
  linksKey: 'flavorprofile_links',
  keyParam: 'flavorprofile_id',
};
